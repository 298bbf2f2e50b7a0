// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Who owns a socket, found without a hook on any system call.
//
// A TCP socket transmits either in a softirq, only while no process holds the
// socket's lock, or in the context of the process that holds it
// (sk_lock.owned). So a packet that leaves while the lock is owned is sent by a
// true user of the socket: the one that connects, reads, writes or closes.
// Packets that a softirq sends in the middle of that, on behalf of other
// sockets, leave with their own sockets' locks not owned. A listening socket is
// the exception: it answers without a look at its lock.
#pragma once

#include "../core/kernel.h"
#include "process.h"
#include "socket.h"

static __always_inline bool sent_by_owner(struct bpf_sock *sk)
{
	struct tcp_sock *tp;

	if (sk->protocol == IPPROTO_UDP)
		return true;
	if (sk->state == BPF_TCP_LISTEN)
		return false;
	tp = bpf_skc_to_tcp_sock(sk);
	return tp && tp->inet_conn.icsk_inet.sk.sk_lock.owned;
}

static __always_inline void set_owner(struct socket_state *s, struct process_key *key, struct task_struct *task,
				      bool current)
{
	s->process_verdict = know_process(key, task, current);
	s->owner = *key;
	s->told = 0;
}

// learn_owner compares the current process with what is known. It is called
// only when sent_by_owner.
static __always_inline void learn_owner(struct socket_state *s)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_key key;

	if (task->flags & PF_KTHREAD)
		return;
	process_key(&key, task);
	if (!same_process(&key, &s->owner))
		set_owner(s, &key, task, true);
}

// tell_owner sends the owner once to each shard that sees the socket.
static __always_inline void tell_owner(struct socket_state *s, __u32 shard)
{
	__u64 bit = 1ULL << (shard & (MAX_SHARDS - 1));
	bool told = false;

	if (!s->owner.pid || (s->told & bit))
		return;
	submit_owner(shard, RECORD_OWNER, s->cookie, &s->owner, &told);
	if (told)
		__sync_fetch_and_or(&s->told, bit);
}
