// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Binds a socket to the object of a TLS library that uses it.
#pragma once

#include "../core/task.h"
#include "../tls/tls.h"
#include "packet.h"
#include "socket.h"

// tls says whether anything here is done.
volatile const bool tls = false;

// sent_type returns the type of the TLS record that the payload begins with, or 0.
static __always_inline __u8 sent_type(struct __sk_buff *skb, const struct packet *p)
{
	__u8 b[TLS_RECORD_HEADER];

	if (p->payload < sizeof(b) || bpf_skb_load_bytes(skb, p->headers, b, sizeof(b)))
		return 0;
	return record_type(b);
}

// bind_session gives an object its socket, and reports whether that is new to it. An object
// that had another one is a new one at the place of the old. opens says that what is
// sent is of a handshake.
static __always_inline bool bind_session(const struct session_key *key, const struct socket_state *socket, bool opens)
{
	struct session fresh = { .socket = socket->cookie, .shard = socket->shard }, *s;

	s = bpf_map_lookup_elem(&tls_sessions, key);
	if (s && s->socket == socket->cookie)
		return false;
	if (!s || s->socket) {
		if (!opens)
			fresh.sent = fresh.received = POSITION_LATE;
		bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_ANY);
		return true;
	}
	s->shard = socket->shard;
	s->socket = socket->cookie;
	return true;
}

enum binding {
	BINDING_NONE, // no object is known to use the socket
	BINDING_NEW,
	BINDING_KNOWN, // the object had this socket already
};

// bind_caller checks whether the current thread is inside a library: then the library
// itself sends the packet, unless the object is known to write into memory.
static __always_inline enum binding bind_caller(const struct socket_state *s, bool opens)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct call_key thread = { .thread = (__u64)task->tgid << 32 | (__u32)task->pid };
	struct session_key key = { .pid = task->tgid };
	struct call *call = bpf_map_lookup_elem(&tls_calls, &thread);
	struct session *session;

	if (!call || !call->inside)
		return BINDING_NONE;
	key.object = call->object;
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (session && session->id)
		return BINDING_NONE;
	return bind_session(&key, s, opens) ? BINDING_NEW : BINDING_KNOWN;
}

// bind_output checks whether the packet begins with what an object of the socket's owner
// has put into memory. Who sends it, and when, proves nothing: an event loop may have several
// objects write before it sends what they wrote.
static __always_inline enum binding bind_output(const struct socket_state *s, struct __sk_buff *skb,
						const struct packet *p, bool opens)
{
	struct output begin;
	struct output_of *found, of;
	struct session *session;

	if (p->payload < sizeof(begin) || bpf_skb_load_bytes(skb, p->headers, &begin, sizeof(begin)))
		return BINDING_NONE;
	found = bpf_map_lookup_elem(&tls_outputs, &begin);
	if (!found || found->session.pid != s->owner.pid)
		return BINDING_NONE;
	of = *found;
	bpf_map_delete_elem(&tls_outputs, &begin);
	session = bpf_map_lookup_elem(&tls_sessions, &of.session);
	if (!session || session->id != of.id)
		return BINDING_NONE; // given up meanwhile
	return bind_session(&of.session, s, opens) ? BINDING_NEW : BINDING_KNOWN;
}

// bind_socket finds the object that sends a TCP connection's payload. by_user says that the
// current process sends it.
static __noinline void bind_socket(struct socket_state *s, struct __sk_buff *skb, const struct packet *p,
				   __u8 direction, bool by_user)
{
	__u8 type = sent_type(skb, p);
	enum binding binding = BINDING_NONE;

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
	if (direction != EGRESS)
		return;
	if (by_user)
		binding = bind_caller(s, opens(type));
	if (binding == BINDING_NONE)
		binding = bind_output(s, skb, p, opens(type));
	if (binding != BINDING_NONE)
		s->flags |= SOCKET_TLS_BOUND;
	if (binding == BINDING_NEW)
		count_coverage(&s->owner, COVERAGE_BOUND);
	if (!by_user)
		return;
	if (binding == BINDING_NONE && !(s->flags & SOCKET_COUNTED_TLS))
		submit_event(EVENT_UNCOVERED, &s->owner);
	if (!(s->flags & SOCKET_COUNTED_TLS)) {
		s->flags |= SOCKET_COUNTED_TLS;
		count_coverage(&s->owner, COVERAGE_ENCRYPTED);
	}
}
