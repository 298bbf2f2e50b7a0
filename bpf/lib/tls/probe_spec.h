// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What user space says about the function that a probe is attached to: the cookie of
// the probe, so that few programs do for all libraries. From the low bits up:
// operation (4), outcome (4), way to the descriptor (8), its three offsets (16 each), or
// for Go: the offset of the net.Conn (8) and that of the descriptor (8), and the hash of
// *net.TCPConn's type (32).
#pragma once

#include "../core/types.h"
#include <bpf/bpf_helpers.h>

enum outcome {
	OUTCOME_INT, // an int is returned: bytes, or what is not above 0
	OUTCOME_LONG, // the same as a long
	OUTCOME_STORED4, // 1 is returned, and the bytes are stored where the 4th argument says
	OUTCOME_STORED5, // or the 5th
	OUTCOME_GO_REGISTERS,
	OUTCOME_GO_STACK,
	OUTCOME_RUST, // a Result<usize, _>: 0 and bytes, or 1 and an error
	OUTCOME_GO_RECORD, // arguments are the object, a record's type, and data, all of which is taken
};

const enum outcome *btf_outcome __attribute__((unused));

struct probe_spec {
	__u8 operation;
	__u8 outcome;
	__u8 way;
	__u16 a, b, c;
	__u32 hash;
};

static __always_inline void read_probe_spec(struct probe_spec *p, __u64 cookie)
{
	p->operation = cookie & 0xf;
	p->outcome = cookie >> 4 & 0xf;
	p->way = cookie >> 8;
	p->a = cookie >> 16;
	p->b = cookie >> 32;
	p->c = cookie >> 48;
	p->hash = cookie >> 32;
}
