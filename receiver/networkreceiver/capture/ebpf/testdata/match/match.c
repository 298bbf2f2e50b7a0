// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the kernel's matching of patterns outside of the kernel: reads pairs of a pattern and a
// text, each with its length before it, and writes a result for each pair.

#define __BPF_HELPERS__ // what is needed of it is here
#define __always_inline inline __attribute__((always_inline))

static long bpf_loop(unsigned n, void *step, void *context, unsigned long long flags)
{
	unsigned i;

	(void)flags;
	for (i = 0; i < n; i++)
		if (((long (*)(unsigned, void *))step)(i, context))
			return i + 1;
	return i;
}

#include "../../../../../../bpf/lib/tls/match.h"

int getchar(void);
int putchar(int c);

static int take(__u8 *buffer, __u32 *length)
{
	int low = getchar(), high = getchar();

	if (high < 0)
		return 0;
	*length = low | high << 8;
	for (__u32 i = 0; i < *length; i++)
		buffer[i] = getchar();
	return 1;
}

int main(void)
{
	static __u8 pattern[1 << 16], text[1 << 16];
	__u32 pattern_length, text_length;

	while (take(pattern, &pattern_length) && take(text, &text_length))
		putchar(match(text, text_length, pattern, pattern_length));
	return 0;
}
