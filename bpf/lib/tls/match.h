// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Patterns with wildcards for names and paths. A path is matched as the kernel has it
// (path.h), so its pattern has its names in the same order.
#pragma once

#include "../core/loop.h"
#include "../core/types.h"
#include "../core/uapi.h"
#include <bpf/bpf_helpers.h>

// What a byte of a pattern stands for besides itself. User space refuses patterns that
// have these bytes in them.
enum {
	ANY_NAMES = 1, // any number of whole names
	ANY_RUN = 2, // any run of bytes of one name
	ANY_BYTE = 3, // one byte of a name
};

enum {
	PATTERN_LEN = 256, // powers of two
	TEXT_LEN = 1024,
	MATCH_STEPS = 1 << 14,
};

enum match_result {
	UNDECIDED,
	MATCHES,
	DIFFERS,
};

// match_state goes through a text, as little of it for each wildcard as will do. Where
// that turns out to be wrong, the last wildcard takes more: first ANY_RUN, to the end of
// its name, then ANY_NAMES. Earlier ones need not: what follows them was found.
struct match_state {
	const __u8 *text, *pattern;
	__u32 text_length, pattern_length;
	__u32 t, p; // where it is
	__u32 run_t, run_p; // where to go on when ANY_RUN takes more; run_p 0: there is none
	__u32 names_t, names_p; // and ANY_NAMES
	__u32 seeks; // not 0: the end of the name that ANY_NAMES takes
	__u32 result;
};

static __always_inline __u8 text_at(const struct match_state *m, __u32 t)
{
	return m->text[t & (TEXT_LEN - 1)];
}

// seek lets ANY_NAMES take one more byte, and goes on where a name ends.
static __always_inline void seek(struct match_state *m)
{
	m->seeks = text_at(m, m->names_t++);
	if (m->seeks)
		return;
	m->t = m->names_t;
	m->p = m->names_p;
}

static __always_inline void go_back(struct match_state *m)
{
	if (m->run_p && text_at(m, m->run_t)) {
		m->t = ++m->run_t;
		m->p = m->run_p;
		return;
	}
	m->run_p = 0;
	m->seeks = true;
	if (!m->names_p)
		m->result = DIFFERS;
}

static long match_step(__u32 i, struct match_state *m)
{
	bool more = m->p < m->pattern_length;
	__u8 want = more ? m->pattern[m->p & (PATTERN_LEN - 1)] : 0;

	(void)i;
	if (m->seeks && m->names_t < m->text_length) {
		seek(m);
	} else if (want == ANY_NAMES) {
		m->names_t = m->t;
		m->names_p = ++m->p;
		m->run_p = 0;
	} else if (want == ANY_RUN) {
		m->run_t = m->t;
		m->run_p = ++m->p;
	} else if (m->seeks || m->t >= m->text_length) {
		m->result = more || m->seeks ? DIFFERS : MATCHES;
	} else if (more && (want == ANY_BYTE ? text_at(m, m->t) != 0 : text_at(m, m->t) == want)) {
		m->t++;
		m->p++;
	} else {
		go_back(m);
	}
	return m->result != UNDECIDED;
}

static __always_inline enum match_result match(const __u8 *text, __u32 text_length, const __u8 *pattern,
					       __u32 pattern_length)
{
	__u32 zero = loop_zero;
	struct match_state m = {
		.text = text,
		.pattern = pattern,
		.text_length = text_length,
		.pattern_length = pattern_length,
		.t = zero,
		.p = zero,
		.run_t = zero,
		.run_p = zero,
		.names_t = zero,
		.names_p = zero,
		.seeks = zero,
	};

	bpf_loop(MATCH_STEPS, match_step, &m, 0);
	return m.result;
}
