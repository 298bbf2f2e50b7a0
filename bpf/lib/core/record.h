// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What user space reads: ring records and the entries of the process table.
// Padding is always explicit and written, so that no kernel memory leaks and
// the layout is the same for every compiler.
#pragma once

#include "types.h"

enum record_kind {
	RECORD_PACKET = 1,
	RECORD_OWNER = 2,
	RECORD_PEER = 3, // as an owner_record: who owns the other end of the socket's connection
	RECORD_PEER_CAPTURED = 4, // as an owner_record: nothing more of the socket, its other end is captured
	RECORD_PLAINTEXT = 5,
	RECORD_RESET = 6, // as an owner_record: the kernel has ended the socket's connection
};

enum direction {
	EGRESS = 1,
	INGRESS = 2,
};

enum loss {
	LOSS_RING_FULL,
	LOSS_COPY_FAILED,
	LOSS_PLAINTEXT_RING_FULL, // the same of plaintext
	LOSS_PLAINTEXT_COPY_FAILED,
	LOSS_REASONS,
};

// packet_record is followed by the captured bytes, from the IP header on.
struct packet_record {
	__u64 time; // CLOCK_MONOTONIC, ns
	__u64 socket; // cookie
	__u8 kind; // RECORD_PACKET
	__u8 direction;
	__u8 listener; // the packet still belongs to the listening socket
	__u8 trimmed; // only headers were copied, because nobody needs the rest
	__u32 netns; // inode
	__u64 cgroup; // id
	__u32 wire_len; // bytes of the packet, from the IP header on
	__u32 captured; // bytes of it that follow
};

// plaintext_record is followed by bytes that a program handed to its TLS library, or got
// from it.
struct plaintext_record {
	__u64 time; // when the library returned
	__u64 socket; // cookie
	__u8 kind; // RECORD_PLAINTEXT
	__u8 direction;
	__u8 pad[2];
	__u32 captured; // bytes that follow
	__u64 offset; // of the first of them, among all of this direction
};

// process_key names one program run: a process id is reused, and an exec
// replaces the program.
struct process_key {
	__u64 start; // CLOCK_BOOTTIME, ns
	__u64 exec; // task_struct.self_exec_id
	__u32 pid; // thread group, in the root PID namespace
	__u32 pad;
};

struct owner_record {
	__u64 time;
	__u64 socket;
	__u8 kind; // RECORD_OWNER, RECORD_PEER, RECORD_PEER_CAPTURED or RECORD_RESET
	__u8 pad[7];
	struct process_key owner;
};

enum {
	NAME_LEN = 16, // TASK_COMM_LEN
	PART_LEN = 128, // one name of a path
	PATH_LEN = 512, // all names of a path but the last one to be read
	COMMAND_LEN = 1024,
	VARIABLE_LEN = 512,
	VARIABLES_LEN = 512, // all variables but the last one to be read
};

// process is what the kernel knew when the process was first seen. Paths are
// kept as names that end in NUL, the innermost first.
struct process {
	struct process_key key; // set last: the entry is complete if it equals the map's key
	__u64 cgroup;
	__u32 parent;
	__u32 netns;
	__u32 exe_len;
	__u32 cgroup_len;
	__u32 command_len;
	__u32 variables_len;
	__u8 verdict; // of the process filters
	__u8 pad[7];
	__u8 name[NAME_LEN];
	__u8 exe[PATH_LEN + PART_LEN];
	__u8 cgroup_path[PATH_LEN + PART_LEN];
	__u8 command[COMMAND_LEN]; // arguments, each ended by NUL
	__u8 variables[VARIABLES_LEN + VARIABLE_LEN]; // of the environment, likewise: see environ.h
};
