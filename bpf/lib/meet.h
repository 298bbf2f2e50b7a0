// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Where a socket meets the object of a TLS library that uses it.
#pragma once

#include "packet.h"
#include "socket.h"
#include "task.h"
#include "tls.h"

// tls says whether anything here is done.
volatile const bool tls = false;

enum {
	TLS_RECORD_HEADER = 5,
	TLS_RECORD_MOST = (1 << 14) + 2048, // RFC 5246, section 6.2.3
};

// Records of a handshake. In TLS 1.3 a client's second flight begins with the first one.
enum {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_HANDSHAKE = 22,
};

// record_type gives the type of the TLS record that the payload begins with (RFC 8446,
// section 5.1), or 0.
static __always_inline __u8 record_type(struct __sk_buff *skb, const struct packet *p)
{
	__u8 b[TLS_RECORD_HEADER];
	__u32 length;

	if (p->payload < sizeof(b) || bpf_skb_load_bytes(skb, p->headers, b, sizeof(b)))
		return 0;
	length = (__u32)b[3] << 8 | b[4];
	if (b[0] < 20 || b[0] > 23 || b[1] != 3 || b[2] > 4 || !length || length > TLS_RECORD_MOST)
		return 0;
	return b[0];
}

// bind_session gives an object its socket, and tells whether that is news. An object
// that had another one is a new one at the place of the old. opens says that what is
// sent is of a handshake.
static __always_inline bool bind_session(const struct session_key *key, __u64 socket, __u32 shard, bool opens)
{
	struct session fresh = { .socket = socket, .shard = shard }, *s;

	s = bpf_map_lookup_elem(&tls_sessions, key);
	if (s && s->socket == socket)
		return false;
	if (!s || s->socket) {
		if (!opens)
			fresh.sent = fresh.received = POSITION_LATE;
		bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_ANY);
		return true;
	}
	s->shard = shard;
	s->socket = socket;
	return true;
}

enum meeting {
	NOBODY,
	MET,
	MET_BEFORE,
};

// meet_caller looks whether the current thread is inside a library, or was so
// last: one that writes to memory is left before its bytes are sent.
static __always_inline enum meeting meet_caller(__u64 socket, __u32 shard, bool opens)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct call_key thread = { .thread = (__u64)task->tgid << 32 | (__u32)task->pid };
	struct session_key key = { .pid = task->tgid };
	struct call *call = bpf_map_lookup_elem(&tls_calls, &thread);
	struct session *s;

	if (!call)
		return NOBODY;
	key.object = call->object;
	if (!call->inside) {
		s = bpf_map_lookup_elem(&tls_sessions, &key);
		if (s && s->socket && s->socket != socket)
			return NOBODY;
	}
	return bind_session(&key, socket, shard, opens) ? MET : MET_BEFORE;
}

// meet is for payload of a TCP connection. by_user says that the current process
// sends it.
static __noinline void meet(struct socket_state *s, struct __sk_buff *skb, const struct packet *p, bool by_user)
{
	__u8 type = record_type(skb, p);
	enum meeting met;

	if (!type) {
		if (by_user && !(s->flags & (SOCKET_TLS | SOCKET_COUNTED_PLAIN))) {
			s->flags |= SOCKET_COUNTED_PLAIN;
			count_coverage(&s->owner, COVERAGE_PLAIN);
		}
		return;
	}
	if (!(s->flags & SOCKET_TLS)) {
		s->flags |= SOCKET_TLS;
		bpf_map_update_elem(&tls_sockets, &s->cookie, &s->shard, BPF_ANY);
	}
	if (!by_user)
		return;
	met = meet_caller(s->cookie, s->shard, type == RECORD_HANDSHAKE || type == RECORD_CHANGE_CIPHER_SPEC);
	if (met != NOBODY)
		s->flags |= SOCKET_TLS_BOUND;
	if (met == MET)
		count_coverage(&s->owner, COVERAGE_BOUND);
	if (met == NOBODY && !(s->flags & SOCKET_COUNTED_TLS))
		tell_news(NEWS_UNCOVERED, &s->owner);
	if (!(s->flags & SOCKET_COUNTED_TLS)) {
		s->flags |= SOCKET_COUNTED_TLS;
		count_coverage(&s->owner, COVERAGE_ENCRYPTED);
	}
}
