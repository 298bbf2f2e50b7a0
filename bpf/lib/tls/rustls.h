// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Objects of rustls. What writes is the connection; what reads is made for the call and
// begins with a pointer into the connection. The function that moves records to and from
// the socket has the connection, so that this is bound to its socket; what reads afterwards in
// the same thread, at a place inside of the connection, inherits it.
#pragma once

#include "registers.h"
#include "tls.h"
#include <bpf/bpf_helpers.h>

enum { RUSTLS_CONNECTION_MOST = 4096 }; // bytes of a connection

// inherit_socket gives the object of a read the socket of the connection that it is a
// part of, if the thread was busy with that last.
static __always_inline void inherit_socket(const struct call_key *thread, __u64 object)
{
	struct call *last = bpf_map_lookup_elem(&tls_calls, thread);
	struct session_key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	struct session fresh, *connection, *mine;

	if (!last || last->object == object || object - last->object >= RUSTLS_CONNECTION_MOST)
		return;
	key.object = last->object;
	connection = bpf_map_lookup_elem(&tls_sessions, &key);
	key.object = object;
	mine = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!connection || !connection->socket) {
		bpf_map_delete_elem(&tls_sessions, &key); // of another connection, at the same place
		return;
	}
	if (mine && mine->socket == connection->socket)
		return;
	fresh = *connection;
	bpf_map_update_elem(&tls_sessions, &key, &fresh, BPF_ANY);
}

static __always_inline __u64 rustls_object(struct pt_regs *ctx, const struct call_key *thread, __u8 operation)
{
	__u64 object;

	if (operation == OPERATION_HANDSHAKE)
		return ARGUMENT1_OF_LARGE(ctx);
	object = ARGUMENT1(ctx);
	if (operation == OPERATION_READ) {
		object = read_word(object);
		inherit_socket(thread, object);
	}
	return object;
}
