// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Packets at the socket: both directions of every TCP and UDP socket below a
// cgroup. The programs only look: each of them lets every packet pass.

#include "../lib/core/kernel.h"
#include "../lib/core/record.h"
#include "../lib/core/ring.h"
#include "../lib/core/uapi.h"
#include "../lib/socket/filter.h"
#include "../lib/socket/flow.h"
#include "../lib/socket/local.h"
#include "../lib/socket/owner.h"
#include "../lib/socket/packet.h"
#include "../lib/socket/process.h"
#include "../lib/socket/self.h"
#include "../lib/socket/socket.h"
#include "../lib/socket/socket_bind.h"
#include "../lib/socket/trim.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

enum { PASS = 1 };

enum {
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
};

// single_flow tells whether the socket has one peer, so that what is found out
// about its flow holds for all its packets.
static __always_inline bool single_flow(struct bpf_sock *sk)
{
	return sk->protocol == IPPROTO_TCP && sk->state != BPF_TCP_LISTEN;
}

// relate finds out what a flow of this socket has to do with the collector's own.
static __always_inline void relate(struct socket_state *s, const struct flow *f, bool opens)
{
	if (s->flags & SOCKET_SELF)
		remember_self(f);
	else if (opens)
		forget_self(f);
	else if (is_self(f))
		s->flags |= SOCKET_SELF_PEER;
}

// examine fills the state of a socket that is seen for the first time, or for
// the first time since the filters changed. The addresses in the packet are
// looked at as well: on egress they are already translated.
static __noinline void examine(struct socket_state *s, struct __sk_buff *skb, struct bpf_sock *sk,
			       const struct packet *p, bool opens)
{
	__u32 generation = filter_generation;
	struct flow f = {};

	s->verdict = cgroup_passes(skb);
	if (single_flow(sk)) {
		socket_flow(&f, sk, is_ip4(skb), s->netns);
		s->shard = shard_of(hash_flow(&f));
		s->verdict &= flow_passes(&f, is_ip4(skb));
		relate(s, &f, opens);
		packet_flow(&f, p, s->netns);
		relate(s, &f, opens);
	} else if (sk->state == BPF_TCP_LISTEN && self_listener(sk, s->netns)) {
		s->flags |= SOCKET_SELF;
	}
	s->generation = self_known ? generation : 0; // 0: once more with the next packet
}

// examine_packet does the same for a socket that has many peers: a listener or
// a UDP socket.
static __noinline bool examine_packet(struct socket_state *s, struct __sk_buff *skb, struct bpf_sock *sk,
					   const struct packet *p, __u32 *shard)
{
	struct flow f = {};

	packet_flow(&f, p, s->netns);
	if (s->flags & SOCKET_SELF) {
		if (sk->protocol == IPPROTO_UDP)
			remember_self(&f);
		return false;
	}
	if (is_self(&f))
		return false;
	if (sk->protocol == IPPROTO_UDP && sk->dst_port)
		socket_flow(&f, sk, is_ip4(skb), s->netns);
	*shard = shard_of(hash_flow(&f));
	return flow_passes(&f, is_ip4(skb));
}

// elsewhere tells whether a packet is of a connection of which the other end is
// captured instead.
static __always_inline bool elsewhere(struct socket_state *s, struct bpf_sock *sk, const struct packet *p,
				      __u8 direction)
{
	if (sk->state == BPF_TCP_LISTEN)
		return elsewhere_at_listener(p);
	if (sk->state == BPF_TCP_SYN_SENT && (p->flags & TCP_SYN)) {
		if (direction == EGRESS)
			note_opening(s, p, s->shard);
		else if (local_calls == LOCAL_SERVER)
			leave_to_server(s, p, s->shard);
	}
	if (!(s->flags & SOCKET_ELSEWHERE))
		return false;
	if (local_calls == LOCAL_CLIENT)
		tell_own_owner(s);
	return true;
}

// inet_socket returns the socket of a packet if it is a full one of TCP or UDP.
static __always_inline struct bpf_sock *inet_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return NULL;
	sk = bpf_sk_fullsock(sk);
	if (!sk || (sk->protocol != IPPROTO_TCP && sk->protocol != IPPROTO_UDP) ||
	    (sk->type != SOCK_STREAM && sk->type != SOCK_DGRAM))
		return NULL;
	return sk;
}

// state_of returns the state of a packet's socket. There is none if memory is short: the
// packet is lost.
static __always_inline struct socket_state *state_of(struct bpf_sock *sk, const struct packet *p)
{
	struct socket_state *s = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	struct flow f = {};

	if (s)
		return s;
	packet_flow(&f, p, 0);
	count_loss(shard_of(hash_flow(&f)), LOSS_COPY_FAILED);
	return NULL;
}

// learn_sender learns the owner of a socket whose packet the current process sends.
static __always_inline void learn_sender(struct socket_state *s)
{
	learn_owner(s);
	if (s->owner.pid == self_pid && !(s->flags & SOCKET_SELF)) {
		s->flags |= SOCKET_SELF;
		s->generation = 0;
	}
}

// admit reports whether a packet is submitted, and to which shard. The owner of a socket
// that is captured is told to the shard also for packets that are not.
static __always_inline bool admit(struct socket_state *s, struct __sk_buff *skb, struct bpf_sock *sk,
				  const struct packet *p, __u8 direction, __u32 *shard)
{
	bool wanted, opens = false;

	if (!s->generation) {
		opens = direction == EGRESS && sk->state == BPF_TCP_SYN_SENT;
		s->cgroup = bpf_skb_cgroup_id(skb);
		s->netns = socket_netns(sk);
	}
	if (s->generation != filter_generation) {
		examine(s, skb, sk, p, opens);
		if (local_calls && !opens && single_flow(sk))
			find_client(s, sk, is_ip4(skb));
	}
	if (single_flow(sk)) {
		*shard = s->shard;
		wanted = !(s->flags & (SOCKET_SELF | SOCKET_SELF_PEER));
	} else {
		wanted = examine_packet(s, skb, sk, p, shard);
	}
	if (!wanted || !s->verdict || !s->process_verdict)
		return false;
	if (local_calls && sk->protocol == IPPROTO_TCP && elsewhere(s, sk, p, direction))
		return false;
	if (sk->state == BPF_TCP_LISTEN)
		return true; // its bare ACK ends a handshake, and is the only sign of when
	tell_owner(s, *shard);
	return !bare_ack(p);
}

// submit hands a packet to a shard. It completes the head.
static __always_inline void submit(struct socket_state *s, struct __sk_buff *skb, struct bpf_sock *sk,
				   const struct packet *p, __u32 shard, struct packet_record *head)
{
	head->listener = sk->state == BPF_TCP_LISTEN;
	head->netns = s->netns;
	head->cgroup = s->cgroup;
	head->wire_len = skb->len;
	head->trimmed = trimmed(p, head->socket, head->direction);
	submit_packet(skb, &s->share, shard, head->trimmed ? p->headers : head->wire_len, head);
	if (s->flags & SOCKET_PEER_UNTOLD)
		tell_client_owner(s, sk, is_ip4(skb), shard);
}

static __always_inline void capture(struct __sk_buff *skb, __u8 direction)
{
	struct packet_record head = { .kind = RECORD_PACKET, .direction = direction };
	struct bpf_sock *sk = inet_socket(skb);
	struct packet p = {};
	struct socket_state *s;
	bool by_user = false;
	__u32 shard;

	if (!sk || !parse(skb, &p))
		return;
	s = state_of(sk, &p);
	if (!s)
		return;
	head.socket = bpf_get_socket_cookie(skb);
	adopt(s, head.socket);
	head.time = bpf_ktime_get_ns();
	if (passes_by(&s->passing[direction == EGRESS], &p, head.socket, direction, head.time))
		return;
	if (direction == EGRESS && sent_by_owner(sk)) {
		by_user = true;
		learn_sender(s);
	}
	if (!admit(s, skb, sk, &p, direction, &shard))
		return;
	if (tls && p.payload && !(s->flags & SOCKET_TLS_BOUND) && single_flow(sk))
		bind_socket(s, skb, &p, direction, by_user);
	submit(s, skb, sk, &p, shard, &head);
}

SEC("cgroup_skb/egress")
int egress(struct __sk_buff *skb)
{
	capture(skb, EGRESS);
	return PASS;
}

SEC("cgroup_skb/ingress")
int ingress(struct __sk_buff *skb)
{
	capture(skb, INGRESS);
	return PASS;
}

// state_change runs in the context of the process that calls listen: the
// collector's own servers are known before they have a connection.
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_change, struct sock *sk, int before, int after)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct socket_state *s;
	struct flow f = {};

	(void)ctx;
	(void)before;
	if (after != BPF_TCP_LISTEN)
		return 0;
	if ((__u32)task->tgid != self_pid) {
		listening_flow(&f, sk);
		forget_self(&f);
		return 0;
	}
	s = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (s) {
		adopt(s, bpf_get_socket_cookie(sk));
		s->flags |= SOCKET_SELF;
	}
	return 0;
}

// reset_received runs when the kernel has believed a reset, or answers bytes that came
// for a closed socket by one. The packet alone does not tell: most forged ones are refused.
SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(reset_received, struct sock *sk)
{
	struct socket_state *s = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	struct process_key nobody = {};
	bool told = false;

	(void)ctx;
	if (!s || s->cookie != bpf_get_socket_cookie(sk) || !s->generation || !s->verdict || !s->process_verdict ||
	    s->flags & (SOCKET_SELF | SOCKET_SELF_PEER | SOCKET_ELSEWHERE))
		return 0;
	submit_owner(s->shard, RECORD_RESET, s->cookie, &nobody, &told);
	if (!told)
		count_loss(s->shard, LOSS_RING_FULL);
	return 0;
}

// open_sockets visits each open file of each process, to find the owners of
// sockets that existed before.
SEC("iter/task_file")
int open_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *reader = bpf_get_current_task_btf();
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct process_key key;
	struct socket_state *s;
	struct socket *socket;
	struct sock *sk;

	self_pid = reader->tgid;
	if (!task) { // the end of a visit; the second one comes after the attachment
		if (++self_visits == 2)
			self_known = true;
		return 0;
	}
	if (!file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk)
		return 0;
	if (sk->sk_protocol == IPPROTO_MPTCP && (__u32)task->tgid == self_pid &&
	    sk->__sk_common.skc_state == BPF_TCP_LISTEN) {
		struct flow f = {};

		listening_flow(&f, sk);
		remember_self(&f);
		return 0;
	}
	if ((sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP) ||
	    (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_DGRAM))
		return 0;
	s = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!s)
		return 0;
	adopt(s, bpf_get_socket_cookie(sk));
	if ((__u32)task->tgid == self_pid) {
		struct flow f = {};

		s->flags |= SOCKET_SELF;
		if (connected_flow(&f, sk))
			remember_self(&f);
	}
	if (s->owner.pid)
		return 0; // what it sends tells more than who holds a descriptor
	process_key(&key, task);
	set_owner(s, &key, task, false);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
