// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Plaintext on its way to user space: in pieces of at most 64 KiB, into the ring of
// the socket's shard, with the position of each piece. What is lost on the way
// leaves a jump of the position.
#pragma once

#include "../core/ring.h"
#include "tls.h"

enum {
	PIECE = 64 << 10,
	PIECES = 1 << 15, // of one call: 2 GiB
};

const struct plaintext_record *btf_plaintext_record __attribute__((unused));

// What is counted besides losses.
enum unbound_count {
	UNBOUND_CALLS, // calls whose socket is not known
	UNBOUND_BYTES,
	UNBOUND_COUNTS,
};

const enum unbound_count *btf_unbound_count __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNBOUND_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} tls_unbound SEC(".maps");

static __always_inline void count_unbound(__u32 what, __u64 n)
{
	__u64 *count = bpf_map_lookup_elem(&tls_unbound, &what);

	if (count)
		__sync_fetch_and_add(count, n);
}

struct emission {
	__u64 time;
	__u64 socket;
	__u64 from; // address in the process
	__u64 left;
	__u64 offset;
	__u32 shard;
	__u8 direction;
	__u8 pad[3];
};

// emit_piece needs room, a power of two, to be a constant; see copy_packet.
static __always_inline void emit_piece(const struct emission *e, void *ring, __u32 room, __u64 length)
{
	struct plaintext_record *r = bpf_ringbuf_reserve(ring, sizeof(*r) + room, 0);

	if (!r) {
		count_loss(e->shard, LOSS_PLAINTEXT_RING_FULL);
		return;
	}
	asm volatile("" : "+r"(length));
	length = ((length - 1) & (room - 1)) + 1;
	r->time = e->time;
	r->socket = e->socket;
	r->kind = RECORD_PLAINTEXT;
	r->direction = e->direction;
	r->pad[0] = 0;
	r->pad[1] = 0;
	r->captured = length;
	r->offset = e->offset;
	if (bpf_probe_read_user(r + 1, length, (void *)e->from)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		count_loss(e->shard, LOSS_PLAINTEXT_COPY_FAILED);
		return;
	}
	bpf_ringbuf_submit(r, wake_up(ring, sizeof(*r) + room));
}

static __always_inline void emit_sized(const struct emission *e, void *ring, __u64 length)
{
#define TIER(room)                                      \
	if (length <= (room)) {                         \
		emit_piece(e, ring, room, length); \
		return;                                 \
	}
	TIER(128)
	TIER(512)
	TIER(2 << 10)
	TIER(4 << 10)
	TIER(8 << 10)
	TIER(16 << 10)
	TIER(32 << 10)
#undef TIER
	emit_piece(e, ring, PIECE, length);
}

static long emit_next(__u32 i, struct emission *e)
{
	__u64 length = e->left < PIECE ? e->left : PIECE;
	void *ring = bpf_map_lookup_elem(&rings, &e->shard);

	(void)i;
	if (!ring || !length)
		return 1;
	emit_sized(e, ring, length);
	e->from += length;
	e->offset += length;
	e->left -= length;
	return !e->left;
}

static __always_inline void emit(struct emission *e)
{
	bpf_loop(PIECES, emit_next, e, 0);
}
