// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Connections that have both ends on this machine, for capturing one of them
// only. The end that opens one notes it; the other end knows it again by the
// client's address and initial sequence number. Both survive a translation of
// the server's address (services of Kubernetes) and every veth and bridge
// between the two network namespaces. What is not known again keeps both ends.
#pragma once

#include "packet.h"
#include "socket.h"

enum local_end {
	LOCAL_BOTH,
	LOCAL_CLIENT, // only the end that opened the connection
	LOCAL_SERVER, // only the other end
};

const enum local_end *btf_local_end __attribute__((unused));

volatile const __u32 local_calls = LOCAL_BOTH;

struct opening {
	__be32 address[4]; // of the client
	__u32 port;
	__u32 isn; // of the client
};

struct opener {
	__u64 socket;
	struct process_key owner;
	__u32 shard;
	__u32 listener_captured; // the SYN reached a listener whose end is captured
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct opening);
	__type(value, struct opener);
} openings SEC(".maps");

// note_opening is for the SYN that a client sends.
static __always_inline void note_opening(const struct socket_state *s, const struct packet *p, __u32 shard)
{
	struct opening key = { .port = p->source_port, .isn = p->seq };
	struct opener value = { .socket = s->cookie, .owner = s->owner, .shard = shard };

	__builtin_memcpy(key.address, p->source, sizeof(key.address));
	bpf_map_update_elem(&openings, &key, &value, BPF_NOEXIST);
}

// find_received gives the opening of a packet that a client's handshake has
// sent (n bytes after its SYN).
static __always_inline struct opener *find_received(const struct packet *p, __u32 n)
{
	struct opening key = { .port = p->source_port, .isn = p->seq - n };

	__builtin_memcpy(key.address, p->source, sizeof(key.address));
	return bpf_map_lookup_elem(&openings, &key);
}

// find_answered gives the opening that a SYN-ACK answers.
static __always_inline struct opener *find_answered(const struct packet *p)
{
	struct opening key = { .port = p->destination_port, .isn = p->ack - 1 };

	__builtin_memcpy(key.address, p->destination, sizeof(key.address));
	return bpf_map_lookup_elem(&openings, &key);
}

// find_accepted gives the opening of an accepted socket's connection.
static __always_inline struct opener *find_accepted(struct bpf_sock *sk, bool ip4)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct opening key = {};
	struct flow f = {};

	if (!tp)
		return NULL;
	socket_ends(&f, sk, ip4);
	__builtin_memcpy(key.address, f.high.address, sizeof(key.address));
	key.port = f.high.port;
	key.isn = tp->rcv_nxt - (__u32)tp->bytes_received - 1;
	return bpf_map_lookup_elem(&openings, &key);
}

// elsewhere_at_listener tells whether a listener's packet belongs to a
// connection that is captured at the client. A listener that is captured says
// so to the client.
static __noinline bool elsewhere_at_listener(const struct packet *p)
{
	struct opener *o;

	if (!(p->flags & TCP_SYN))
		o = find_received(p, 1);
	else if (p->flags & TCP_ACK)
		o = find_answered(p);
	else
		o = find_received(p, 0);
	if (!o)
		return false;
	// A process filter decides when the server is known: too late for this.
	if (local_calls == LOCAL_SERVER && !filter_processes)
		o->listener_captured = true;
	return local_calls == LOCAL_CLIENT;
}

// find_client checks whether the client of an accepted socket, seen for the first time, is on
// this machine.
static __noinline void find_client(struct socket_state *s, struct bpf_sock *sk, bool ip4)
{
	struct opener *o = find_accepted(sk, ip4);

	if (!o)
		return;
	if (local_calls == LOCAL_CLIENT) {
		s->peer = o->socket;
		s->peer_shard = o->shard;
		s->flags |= SOCKET_ELSEWHERE;
	} else if (o->listener_captured) {
		s->flags |= SOCKET_PEER_UNTOLD;
	}
}

// tell_client_owner tells the shard of an accepted socket who is at the other
// end, which is not captured.
static __noinline void tell_client_owner(struct socket_state *s, struct bpf_sock *sk, bool ip4, __u32 shard)
{
	struct opener *o = find_accepted(sk, ip4);
	bool told = !o || !o->owner.pid;

	if (!told)
		submit_owner(shard, RECORD_PEER, s->cookie, &o->owner, &told);
	if (told)
		s->flags &= ~SOCKET_PEER_UNTOLD;
}

// tell_own_owner tells the shard of the captured end who is at this one.
static __always_inline void tell_own_owner(struct socket_state *s)
{
	bool told = false;

	if (!s->owner.pid || s->told)
		return;
	submit_owner(s->peer_shard, RECORD_PEER, s->peer, &s->owner, &told);
	s->told = told;
}

// leave_to_server is for the answer to a client's SYN. If it comes from a
// listener that is captured, nothing more of the client's end is.
static __noinline void leave_to_server(struct socket_state *s, const struct packet *p, __u32 shard)
{
	static const struct process_key nobody;
	struct opener *o = find_answered(p);
	bool told = false;

	if (!o || !o->listener_captured)
		return;
	submit_owner(shard, RECORD_PEER_CAPTURED, s->cookie, &nobody, &told);
	if (told)
		s->flags |= SOCKET_ELSEWHERE;
}
