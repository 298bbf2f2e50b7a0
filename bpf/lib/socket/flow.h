// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The two ends of a connection in an order that does not depend on who looks,
// so that both ends on one machine give the same flow.
#pragma once

#include "packet.h"

struct end {
	__be32 address[4];
	__u32 port; // host byte order
};

struct flow {
	struct end low, high;
	__u32 netns; // only where the addresses are loopback: they mean nothing outside it
};

static __always_inline int compare_ends(const struct end *a, const struct end *b)
{
	for (int i = 0; i < 4; i++) {
		if (a->address[i] != b->address[i])
			return a->address[i] < b->address[i] ? -1 : 1;
	}
	return (int)a->port - (int)b->port;
}

static __always_inline bool loopback(const struct end *e)
{
	if (e->address[0] || e->address[1] || e->address[2])
		return false;
	return (e->address[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000) || e->address[3] == bpf_htonl(1);
}

// normalise puts the ends in order, word by word: the stack is small.
static __always_inline void normalise(struct flow *f, __u32 netns)
{
	f->netns = loopback(&f->low) || loopback(&f->high) ? netns : 0;
	if (compare_ends(&f->low, &f->high) <= 0)
		return;
	for (int i = 0; i < 4; i++) {
		__be32 word = f->low.address[i];

		f->low.address[i] = f->high.address[i];
		f->high.address[i] = word;
	}
	__u32 port = f->low.port;

	f->low.port = f->high.port;
	f->high.port = port;
}

// packet_flow is the flow as the packet's header shows it: on egress after
// address translation.
static __always_inline void packet_flow(struct flow *f, const struct packet *p, __u32 netns)
{
	f->low.port = p->source_port;
	f->high.port = p->destination_port;
	__builtin_memcpy(f->low.address, p->source, sizeof(f->low.address));
	__builtin_memcpy(f->high.address, p->destination, sizeof(f->high.address));
	normalise(f, netns);
}

// socket_ends are the local and the remote end of a socket. A dual-stack socket
// that carries IPv4 has both kinds of addresses; the protocol tells which are
// meant. All loads are volatile and unconditional, or the compiler merges the
// branches by computing addresses into the socket, which the verifier refuses.
static __always_inline void socket_ends(struct flow *f, volatile struct bpf_sock *sk, bool ip4)
{
	__be32 source = sk->src_ip4, destination = sk->dst_ip4;

	f->low.port = sk->src_port;
	f->high.port = bpf_ntohs(sk->dst_port);
	f->low.address[0] = sk->src_ip6[0];
	f->low.address[1] = sk->src_ip6[1];
	f->low.address[2] = sk->src_ip6[2];
	f->low.address[3] = sk->src_ip6[3];
	f->high.address[0] = sk->dst_ip6[0];
	f->high.address[1] = sk->dst_ip6[1];
	f->high.address[2] = sk->dst_ip6[2];
	f->high.address[3] = sk->dst_ip6[3];
	if (ip4) {
		__builtin_memset(f->low.address, 0, sizeof(f->low.address));
		__builtin_memset(f->high.address, 0, sizeof(f->high.address));
		f->low.address[3] = source;
		f->high.address[3] = destination;
	}
}

// socket_flow is the flow as the socket knows it.
static __always_inline void socket_flow(struct flow *f, struct bpf_sock *sk, bool ip4, __u32 netns)
{
	socket_ends(f, sk, ip4);
	normalise(f, netns);
}

// mix is the finaliser of MurmurHash3: every bit of x reaches every bit of the
// result.
static __always_inline __u32 mix(__u32 x)
{
	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	x *= 0xc2b2ae35;
	return x ^ (x >> 16);
}

static __always_inline __u32 hash_flow(const struct flow *f)
{
	__u32 h = mix(f->low.port << 16 | f->high.port);

	for (int i = 0; i < 4; i++) {
		h = mix(h ^ f->low.address[i]);
		h = mix(h + f->high.address[i]);
	}
	return h;
}
