// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What the programs at the sockets and those in the TLS libraries tell each other.
// A thread that is inside a library's function notes the object it is busy with;
// the packet that the call sends leaves in the same thread, and there the object
// is bound to its socket. Of an object that writes into memory the records themselves are
// noted: the socket that sends them is the object's. The maps are made with the
// programs at the sockets, and the others get them.
#pragma once

#include "../core/record.h"
#include "../core/uapi.h"
#include <bpf/bpf_helpers.h>

// call_key is a thread that is inside a library, or a goroutine, which may change
// its thread.
struct call_key {
	__u64 thread; // thread group << 32 | thread, or thread group << 32
	__u64 goroutine;
};

enum operation {
	OPERATION_HANDSHAKE,
	OPERATION_WRITE,
	OPERATION_READ,
	OPERATION_FLUSH, // writes again what was written before
	OPERATION_EARLY, // writes before there is a connection
};

const enum operation *btf_operation __attribute__((unused));

struct call {
	__u64 object; // SSL *, gnutls_session_t, PRFileDesc *, *tls.Conn
	__u64 buffer;
	__u64 length_at; // where the library stores how many bytes it took; 0: it returns it
	__u64 length; // Go: bytes that are being written
	__u64 stack; // Go: end of the stack that the buffer is on; 0: it is on none
	__u8 operation;
	__u8 inside; // 0: the function has returned
	__u8 pad[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct call_key);
	__type(value, struct call);
} tls_calls SEC(".maps");

struct session_key {
	__u64 object;
	__u32 pid; // thread group
	__u32 pad;
};

// POSITION_LATE is where the positions begin of an object whose handshake was not seen:
// nobody knows what was before.
enum { POSITION_LATE = 1 };

struct session {
	__u64 socket; // cookie; 0: not known yet
	__u64 sent; // bytes that the library took of the program so far
	__u64 received; // bytes that it gave
	__u32 shard;
	__u32 early; // inside OPERATION_EARLY: 1, and bytes that were taken before the socket was known
	__u64 id; // of the object among all that are at its place in turn; 0: nothing of it was noted in tls_outputs
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct session_key);
	__type(value, struct session);
} tls_sessions SEC(".maps");

// output is how a run of TLS records begins. It is long enough to reach into a key, a
// random, or ciphertext, so that no two are alike.
enum { OUTPUT_LEN = 32 };

struct output {
	__u8 bytes[OUTPUT_LEN];
};

struct output_of {
	struct session_key session;
	__u64 id; // of the session
};

// tls_outputs holds what objects have put into memory, to be sent by the program, and whose
// socket is not known.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct output);
	__type(value, struct output_of);
} tls_outputs SEC(".maps");

enum {
	TLS_RECORD_HEADER = 5,
	TLS_RECORD_MOST = (1 << 14) + 2048, // RFC 5246, section 6.2.3
};

// Records of a handshake. In TLS 1.3 a client's second flight begins with the first one.
enum {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_HANDSHAKE = 22,
};

// record_type returns the type of the TLS record that begins with b (RFC 8446, section
// 5.1), or 0 if none does.
static __always_inline __u8 record_type(const __u8 b[TLS_RECORD_HEADER])
{
	__u32 length = (__u32)b[3] << 8 | b[4];

	if (b[0] < 20 || b[0] > 23 || b[1] != 3 || b[2] > 4 || !length || length > TLS_RECORD_MOST)
		return 0;
	return b[0];
}

// opens reports whether a record of this type is of a handshake.
static __always_inline bool opens(__u8 type)
{
	return type == RECORD_HANDSHAKE || type == RECORD_CHANGE_CIPHER_SPEC;
}

// tls_sockets are the captured sockets that were seen to carry TLS.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64); // cookie
	__type(value, __u32); // shard
} tls_sockets SEC(".maps");

// coverage counts a process's TCP connections.
struct coverage {
	__u64 plain; // not TLS
	__u64 encrypted; // TLS
	__u64 bound; // of those, bound to a library's object
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, struct coverage);
} tls_coverage SEC(".maps");

enum event_kind {
	EVENT_EXEC = 1, // a process runs another program
	EVENT_UNCOVERED = 2, // a TLS handshake was sent from outside every known library
};

struct event {
	__u64 kind;
	struct process_key process;
};

const struct event *btf_event __attribute__((unused));
const enum event_kind *btf_event_kind __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} tls_events SEC(".maps");

static __always_inline void submit_event(__u64 kind, const struct process_key *process)
{
	struct event *n = bpf_ringbuf_reserve(&tls_events, sizeof(*n), 0);

	if (!n)
		return;
	n->kind = kind;
	n->process = *process;
	bpf_ringbuf_submit(n, 0);
}

enum coverage_count {
	COVERAGE_PLAIN,
	COVERAGE_ENCRYPTED,
	COVERAGE_BOUND,
};

static __always_inline void count_coverage(const struct process_key *process, enum coverage_count what)
{
	struct coverage none = {}, *c;

	if (!process->pid)
		return;
	c = bpf_map_lookup_elem(&tls_coverage, process);
	if (!c) {
		bpf_map_update_elem(&tls_coverage, process, &none, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&tls_coverage, process);
		if (!c)
			return;
	}
	if (what == COVERAGE_PLAIN)
		__sync_fetch_and_add(&c->plain, 1);
	else if (what == COVERAGE_ENCRYPTED)
		__sync_fetch_and_add(&c->encrypted, 1);
	else
		__sync_fetch_and_add(&c->bound, 1);
}
