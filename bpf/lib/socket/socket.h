// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What is remembered of a socket. It lives and dies with the socket, and a
// connection that is accepted starts with a copy of its listener's.
#pragma once

#include "../core/kernel.h"
#include "../core/ring.h"
#include "../core/share.h"
#include "filter.h"
#include "packet.h"
#include "trim.h"
#include <bpf/bpf_core_read.h>

enum {
	SOCKET_SELF = 1 << 0, // of this collector: never captured
	SOCKET_SELF_PEER = 1 << 1, // the far end is
	SOCKET_ELSEWHERE = 1 << 2, // not captured: the far end, on this machine, is
	SOCKET_PEER_UNTOLD = 1 << 3, // captured, and the far end is not: its owner is to be told
	SOCKET_TLS = 1 << 4, // carries TLS
	SOCKET_TLS_BOUND = 1 << 5, // and is bound to a library's object
	SOCKET_COUNTED_TLS = 1 << 6, // in the coverage
	SOCKET_COUNTED_PLAIN = 1 << 7,
};

struct socket_state {
	__u64 cookie; // whose state it is: a copy still has the listener's
	__u64 cgroup;
	__u64 told; // shards that were told the owner, one bit each
	struct process_key owner; // pid 0: not known
	__u64 peer; // cookie of the far end, with SOCKET_ELSEWHERE at a server
	__u32 netns;
	__u32 generation; // of the filters that gave the verdict; 0: nothing is filled in yet
	__u32 shard; // TCP connections only
	__u32 peer_shard;
	__u32 pad2;
	__u8 verdict; // of the filters for the flow and the cgroup
	__u8 process_verdict;
	__u8 flags;
	__u8 pad;
	struct share share;
	struct passing passing[2]; // ingress, egress
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

// adopt makes a state the one of the socket with this cookie. What a copy
// inherits is only whether the listener is the collector's own.
static __always_inline void adopt(struct socket_state *s, __u64 cookie)
{
	if (s->cookie == cookie)
		return;
	s->cgroup = 0;
	s->told = 0;
	s->owner.pid = 0;
	s->owner.start = 0;
	s->owner.exec = 0;
	s->netns = 0;
	s->generation = 0;
	s->verdict = 0;
	s->process_verdict = true;
	s->flags &= SOCKET_SELF;
	s->share.end = 0;
	s->share.used = 0;
	s->passing[0].time = 0;
	s->passing[1].time = 0;
	s->cookie = cookie;
}

// socket_netns reads the namespace of a socket of any kind. No arithmetic is
// allowed on the pointer, so the beginning of the socket is read as a whole.
static __noinline __u32 socket_netns(struct bpf_sock *sk)
{
	__u8 head[64];
	__u64 offset = bpf_core_field_offset(struct sock_common, skc_net);
	struct net *net;

	if (offset > sizeof(head) - sizeof(net) || bpf_probe_read_kernel(head, sizeof(head), sk))
		return 0;
	net = *(struct net **)(head + offset);
	return BPF_CORE_READ(net, ns.inum);
}
