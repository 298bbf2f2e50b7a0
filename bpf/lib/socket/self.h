// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The collector's own connections, so that what it exports is not captured
// again: not at its own end, and not at the far end if that is on this machine.
#pragma once

#include "../core/kernel.h"
#include "flow.h"

// The collector's thread group in the root PID namespace. The iterator sets it:
// it runs in the context of whoever reads it.
__u32 self_pid = 0;

// Set when the sockets that were open at the attachment have all been visited. Until then
// the far end of a connection of the collector's may be seen before its own end is known.
bool self_known = false;
__u32 self_visits = 0;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, __u8);
} self_flows SEC(".maps");

static __always_inline void remember_self(const struct flow *f)
{
	__u8 yes = 1;

	bpf_map_update_elem(&self_flows, f, &yes, BPF_ANY);
}

static __always_inline bool is_self(const struct flow *f)
{
	return bpf_map_lookup_elem(&self_flows, f) != NULL;
}

// forget_self is for a connection that someone else opens with addresses that
// were the collector's before.
static __always_inline void forget_self(const struct flow *f)
{
	if (is_self(f))
		bpf_map_delete_elem(&self_flows, f);
}

enum { AF_INET6 = 10 };

// A server that listens by Multipath TCP, as Go's do by default, has a socket
// that its process holds and another one at which packets are seen. They have
// the address in common: it is remembered as a flow with an empty other end.
static __always_inline void listening_flow(struct flow *f, struct sock *sk)
{
	f->low.port = sk->__sk_common.skc_num;
	if (sk->__sk_common.skc_family == AF_INET6) {
		f->low.address[0] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0];
		f->low.address[1] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1];
		f->low.address[2] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2];
		f->low.address[3] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3];
	} else {
		f->low.address[3] = sk->__sk_common.skc_rcv_saddr;
	}
	f->netns = sk->__sk_common.skc_net.net->ns.inum;
}

// connected_flow is the flow of a connected TCP socket. It reports false for any other.
static __always_inline bool connected_flow(struct flow *f, struct sock *sk)
{
	const __be32 *local = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32;
	const __be32 *remote = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32;
	bool ip4 = sk->__sk_common.skc_family != AF_INET6 ||
		   (!remote[0] && !remote[1] && remote[2] == bpf_htonl(0xffff));

	if (sk->sk_protocol != IPPROTO_TCP || !sk->__sk_common.skc_num || !sk->__sk_common.skc_dport)
		return false;
	f->low.port = sk->__sk_common.skc_num;
	f->high.port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (ip4) {
		f->low.address[3] = sk->__sk_common.skc_rcv_saddr;
		f->high.address[3] = sk->__sk_common.skc_daddr;
	} else {
		for (int i = 0; i < 4; i++) {
			f->low.address[i] = local[i];
			f->high.address[i] = remote[i];
		}
	}
	normalise(f, sk->__sk_common.skc_net.net->ns.inum);
	return true;
}

// self_listener tells whether the flow of a listening socket was remembered so.
static __always_inline bool self_listener(struct bpf_sock *sk, __u32 netns)
{
	struct flow f = {};

	socket_ends(&f, sk, sk->family != AF_INET6);
	__builtin_memset(&f.high, 0, sizeof(f.high));
	f.netns = netns;
	return is_self(&f);
}
