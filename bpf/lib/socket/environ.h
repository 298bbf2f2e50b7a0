// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What a process's environment tells OpenTelemetry's SDKs of its name. Nothing else of
// the environment is kept: it holds secrets.
#pragma once

#include "../core/kernel.h"
#include "../core/loop.h"
#include "../core/record.h"
#include "../core/uapi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum {
	LOOKED_AT = 64, // bytes of a variable that are read to find its end
	MOST_LOOKS = 1 << 10,
};

struct search {
	struct process *process;
	__u64 at, end; // addresses in the process
	__u32 inside; // of a variable, if not 0
};

// The first bytes of OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES. User space looks at the
// rest.
#define OTEL_SER 0x5245535f4c45544f
#define OTEL_RES 0x5345525f4c45544f

// keep_variable puts a variable behind the others, unless it is too long. For the masks
// see append.
static __always_inline void keep_variable(struct process *p, __u64 at)
{
	__u64 length = p->variables_len;
	long n;

	if (length >= VARIABLES_LEN)
		return;
	asm volatile("" : "+r"(length));
	length &= VARIABLES_LEN - 1;
	n = bpf_probe_read_user_str(p->variables + length, VARIABLE_LEN, (void *)at);
	if (n > 1 && n < VARIABLE_LEN)
		p->variables_len = length + n;
}

static long look_at_variable(__u32 i, struct search *s)
{
	__u64 b[LOOKED_AT / sizeof(__u64)] = {};
	long n = bpf_probe_read_user_str(b, sizeof(b), (void *)s->at);

	(void)i;
	if (n <= 0)
		return 1;
	if (!s->inside && (b[0] == OTEL_SER || b[0] == OTEL_RES))
		keep_variable(s->process, s->at);
	s->inside = n == sizeof(b);
	s->at += s->inside ? sizeof(b) - 1 : n;
	return s->at >= s->end;
}

// read_variables reads the memory of the current process.
static __always_inline void read_variables(struct process *p, struct mm_struct *mm)
{
	struct search s = {
		.process = p,
		.at = BPF_CORE_READ(mm, env_start),
		.end = BPF_CORE_READ(mm, env_end),
		.inside = loop_zero,
	};

	if (s.at && s.at < s.end)
		bpf_loop(MOST_LOOKS, look_at_variable, &s, 0);
}
