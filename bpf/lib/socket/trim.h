// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What user space has said that it does not need: of one direction of a socket,
// the bytes before a sequence number. Packets that lie wholly before it are
// submitted without their payload, and most of them not at all: one in TRIM_STEP
// bytes and in TRIM_PAUSE, the last one, and what opens or ends a connection tell
// how far it is.
//
// Each slot is one word, so that user space can write it through shared memory
// with neither a system call nor a lock: from the low bits up, the sequence
// number, a tag that tells sockets apart that share the slot, and a bit that is
// set while the slot is in use. Sockets with one slot push each other out:
// packets are then copied as they are without it.
#pragma once

#include "../core/record.h"
#include "../core/uapi.h"
#include "packet.h"

enum {
	TRIM_SLOTS = 1 << 14, // sockets; a power of two
	TRIM_STEP = 1 << 20, // bytes
	TRIM_PAUSE = 100 * 1000 * 1000, // nanoseconds
};

// passing is how far a direction was when that was last told.
struct passing {
	__u64 time; // CLOCK_MONOTONIC, ns
	__u32 seq;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * TRIM_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} trims SEC(".maps");

// trim_tag is the upper half of a socket's word. Cookies are counted, so 2^45
// of them differ in slot or tag.
static __always_inline __u32 trim_tag(__u64 socket)
{
	return (__u32)(socket / TRIM_SLOTS) | 1U << 31;
}

// not_needed tells whether nobody needs the payload of a packet, and until where
// that is so. A word whose sequence number is passed is taken back before the numbers
// come round again.
static __always_inline bool not_needed(const struct packet *p, __u64 socket, __u8 direction, __u32 *until)
{
	__u32 slot = (__u32)(socket & (TRIM_SLOTS - 1)) * 2 + (direction == INGRESS);
	__u64 word, *place;

	if (p->transport != IPPROTO_TCP || !p->payload)
		return false;
	place = bpf_map_lookup_elem(&trims, &slot);
	if (!place)
		return false;
	word = *(volatile __u64 *)place;
	if (word >> 32 != trim_tag(socket))
		return false;
	*until = (__u32)word;
	if ((__s32)(p->seq - *until) >= 0)
		__sync_val_compare_and_swap(place, word, 0);
	return (__s32)(p->seq + p->payload - *until) <= 0;
}

// trimmed tells whether a packet is submitted without its payload.
static __always_inline bool trimmed(const struct packet *p, __u64 socket, __u8 direction)
{
	__u32 until;

	return not_needed(p, socket, direction, &until);
}

// passes_by tells whether a packet is not even submitted so.
static __always_inline bool passes_by(struct passing *last, const struct packet *p, __u64 socket, __u8 direction,
				      __u64 now)
{
	__u32 end = p->seq + p->payload, until;

	if (!not_needed(p, socket, direction, &until))
		return false;
	if (end == until || p->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return false;
	if (now - last->time < TRIM_PAUSE && (__s32)(end - last->seq) < TRIM_STEP)
		return true;
	last->time = now;
	last->seq = end;
	return false;
}
