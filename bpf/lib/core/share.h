// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A fair share of a ring: no socket may have more in it than is left free. One that
// sends at full speed can so fill half of a ring, two of them a third each, and
// what others send now and then finds room (the dynamic thresholds of shared memory
// switches).
#pragma once

#include "uapi.h"
#include <bpf/bpf_helpers.h>

// share is what a socket has put into a ring since that ended at some position. When
// the reader gets there it begins anew: until then all of it may still be in the
// ring. So it does where the socket has many peers, and the next one another shard.
struct share {
	__u64 end; // position that the reader has to reach
	__u32 used; // bytes
	__u32 shard;
};

// within_share takes length bytes of a ring, and tells whether the socket may have
// them. Two processors may count for a socket at once: what one of them forgets
// does no harm.
static __always_inline bool within_share(struct share *s, void *ring, __u32 shard, __u32 length)
{
	__u64 read = bpf_ringbuf_query(ring, BPF_RB_CONS_POS);
	__u64 end = bpf_ringbuf_query(ring, BPF_RB_PROD_POS);
	__u64 size = bpf_ringbuf_query(ring, BPF_RB_RING_SIZE);

	if (read >= s->end || s->shard != shard) {
		s->end = end;
		s->used = 0;
		s->shard = shard;
	}
	if (s->used && s->used + length + (end - read) + length > size)
		return false;
	s->used += length;
	return true;
}
