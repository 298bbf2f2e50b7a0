// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The name of a program run.
#pragma once

#include "kernel.h"
#include "record.h"
#include "uapi.h"
#include <bpf/bpf_helpers.h>

static __always_inline void process_key(struct process_key *key, struct task_struct *task)
{
	key->start = task->group_leader->start_boottime;
	key->exec = task->self_exec_id;
	key->pid = task->tgid;
	key->pad = 0;
}

static __always_inline bool same_process(const struct process_key *a, const struct process_key *b)
{
	return a->pid == b->pid && a->start == b->start && a->exec == b->exec;
}
