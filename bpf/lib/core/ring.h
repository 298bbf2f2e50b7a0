// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The way to user space: one ring per shard, records in size tiers, few wake-ups.
#pragma once

#include "record.h"
#include "share.h"
#include "uapi.h"
#include <bpf/bpf_helpers.h>

enum ring_limit {
	MAX_SHARDS = 64,
	RING_PARTS = 16, // a power of two
};

volatile const __u32 shards = 1;

// Ring records and enums are in no map's definition: this brings their types into the
// object's BTF, from which the Go types are made.
const struct packet_record *btf_packet_record __attribute__((unused));
const struct owner_record *btf_owner_record __attribute__((unused));
const enum record_kind *btf_record_kind __attribute__((unused));
const enum loss *btf_loss __attribute__((unused));
const enum ring_limit *btf_ring_limit __attribute__((unused));

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_SHARDS);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

struct losses {
	__u64 count[LOSS_REASONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SHARDS);
	__type(key, __u32);
	__type(value, struct losses);
} lost SEC(".maps");

static __always_inline void count_loss(__u32 shard, enum loss reason)
{
	struct losses *l = bpf_map_lookup_elem(&lost, &shard);

	if (l)
		__sync_fetch_and_add(&l->count[reason], 1);
}

static __always_inline __u32 shard_of(__u32 hash)
{
	return (__u32)(((__u64)hash * shards) >> 32);
}

static __always_inline void submit_owner(__u32 shard, __u8 kind, __u64 socket, const struct process_key *key,
					 bool *told)
{
	void *ring = bpf_map_lookup_elem(&rings, &shard);
	struct owner_record *r;

	if (!ring)
		return;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r)
		return; // the next packet tries again
	__builtin_memset(r, 0, sizeof(*r));
	r->time = bpf_ktime_get_ns();
	r->socket = socket;
	r->kind = kind;
	r->owner = *key;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	*told = true;
}

// wake_up gives the flags with which length bytes are submitted that were just reserved. The
// reader looks by itself now and then, and is woken only when a part of the ring has been
// filled: a wake-up for each record would cost as much as everything else.
static __always_inline __u64 wake_up(void *ring, __u32 length)
{
	__u64 end = bpf_ringbuf_query(ring, BPF_RB_PROD_POS);
	__u64 part = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / RING_PARTS;

	return (end ^ (end - length)) & ~(part - 1) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

// copy_packet needs room, a power of two, to be a constant: the verifier can
// then see that the masked length fits what was reserved.
static __always_inline void copy_packet(struct __sk_buff *skb, __u32 shard, void *ring, __u32 room, __u32 length,
					const struct packet_record *head)
{
	struct packet_record *r = bpf_ringbuf_reserve(ring, sizeof(*r) + room, 0);

	if (!r) {
		count_loss(shard, LOSS_RING_FULL);
		return;
	}
	asm volatile("" : "+r"(length)); // or the compiler proves the mask away
	length = ((length - 1) & (room - 1)) + 1;
	*r = *head;
	r->captured = length;
	if (bpf_skb_load_bytes(skb, 0, r + 1, length)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		count_loss(shard, LOSS_COPY_FAILED);
		return;
	}
	bpf_ringbuf_submit(r, wake_up(ring, sizeof(*r) + room));
}

// room_for is the tier that length bytes are copied into.
static __always_inline __u32 room_for(__u32 length)
{
	__u32 bits = (length - 1) | 127;

	if (length > 64 << 10)
		return 256 << 10;
	bits |= bits >> 1;
	bits |= bits >> 2;
	bits |= bits >> 4;
	bits |= bits >> 8;
	return bits + 1;
}

// submit_packet copies the first bytes of a packet into the smallest tier that
// holds them. The last tier is for packets beyond 64 KiB (BIG TCP); what exceeds
// it is cut, and the difference between wire_len and captured says so.
static __always_inline void submit_packet(struct __sk_buff *skb, struct share *share, __u32 shard, __u32 length,
					  const struct packet_record *head)
{
	void *ring = bpf_map_lookup_elem(&rings, &shard);

	if (!ring || !within_share(share, ring, shard, sizeof(*head) + room_for(length))) {
		count_loss(shard, LOSS_RING_FULL);
		return;
	}
#define TIER(room)                                                   \
	if (length <= (room)) {                                      \
		copy_packet(skb, shard, ring, room, length, head); \
		return;                                              \
	}
	TIER(128)
	TIER(256)
	TIER(512)
	TIER(1 << 10)
	TIER(2 << 10)
	TIER(4 << 10)
	TIER(8 << 10)
	TIER(16 << 10)
	TIER(32 << 10)
	TIER(64 << 10)
#undef TIER
	copy_packet(skb, shard, ring, 256 << 10, length < 256 << 10 ? length : 256 << 10, head);
}
