// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What a function was called with and what it gives back, in the two calling
// conventions that are met: that of C, and Go's two (by registers, since Go 1.17
// on amd64 and 1.18 on arm64, and by the stack).
#pragma once

#include "../core/types.h"
#include <bpf/bpf_helpers.h>

// Loads are volatile: else the compiler merges them by computing addresses into the
// context, which the verifier refuses.
#if defined(__TARGET_ARCH_x86)

struct pt_regs {
	volatile unsigned long r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	volatile unsigned long orig_rax, rip, cs, eflags, rsp, ss;
};

#define ARGUMENT1(r) ((r)->rdi)
#define ARGUMENT2(r) ((r)->rsi)
#define ARGUMENT4(r) ((r)->rcx)
#define ARGUMENT5(r) ((r)->r8)
#define RESULT(r) ((r)->rax)
#define RESULT2(r) ((r)->rdx)
#define ARGUMENT1_OF_LARGE(r) ((r)->rsi) // where the result is put into memory
#define STACK(r) ((r)->rsp)
#define GO_WORD1(r) ((r)->rax)
#define GO_WORD2(r) ((r)->rbx)
#define GO_WORD3(r) ((r)->rcx)
#define GO_WORD4(r) ((r)->rdi)
#define FRAME(r) ((r)->rbp)
#define GOROUTINE(r) ((r)->r14)

#elif defined(__TARGET_ARCH_arm64)

struct pt_regs {
	volatile unsigned long regs[31], sp, pc, pstate;
};

#define ARGUMENT1(r) ((r)->regs[0])
#define ARGUMENT2(r) ((r)->regs[1])
#define ARGUMENT4(r) ((r)->regs[3])
#define ARGUMENT5(r) ((r)->regs[4])
#define RESULT(r) ((r)->regs[0])
#define RESULT2(r) ((r)->regs[1])
#define ARGUMENT1_OF_LARGE(r) ((r)->regs[0])
#define STACK(r) ((r)->sp)
#define GO_WORD1(r) ((r)->regs[0])
#define GO_WORD2(r) ((r)->regs[1])
#define GO_WORD3(r) ((r)->regs[2])
#define GO_WORD4(r) ((r)->regs[3])
#define FRAME(r) ((r)->regs[29])
#define GOROUTINE(r) ((r)->regs[28])

#endif

static __always_inline __u64 read_word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

static __always_inline __s32 read_int(__u64 address)
{
	__s32 n = -1;

	bpf_probe_read_user(&n, sizeof(n), (void *)address);
	return n;
}
