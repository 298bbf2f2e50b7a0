// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The table of processes that own sockets. An entry is made while the process
// runs, so that it can be told after it is gone.
#pragma once

#include "../core/kernel.h"
#include "../core/path.h"
#include "../core/record.h"
#include "../core/task.h"
#include "environ.h"
#include "filter.h"
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, struct process);
} processes SEC(".maps");

// An entry is filled in place: it fits neither on the stack nor, because the
// task can be preempted, in scratch memory of the CPU.
static const struct process no_process;

static __always_inline void read_paths(struct process *p, struct task_struct *task, struct mm_struct *mm)
{
	struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	struct path_names cgroup = { .buffer = p->cgroup_path }, exe = { .buffer = p->exe };

	p->cgroup = BPF_CORE_READ(node, id);
	read_cgroup(&cgroup, node);
	p->cgroup_len = cgroup.length;
	if (!mm)
		return;
	read_executable(&exe, mm);
	p->exe_len = exe.length;
}

// read_command reads the memory of the current process.
static __always_inline void read_command(struct process *p, struct mm_struct *mm)
{
	__u64 start = BPF_CORE_READ(mm, arg_start);
	__u64 length = BPF_CORE_READ(mm, arg_end) - start;

	if (!start || !length)
		return;
	if (length > COMMAND_LEN)
		length = COMMAND_LEN;
	asm volatile("" : "+r"(length));
	length = ((length - 1) & (COMMAND_LEN - 1)) + 1;
	if (!bpf_probe_read_user(p->command, length, (void *)start))
		p->command_len = length;
}

// know_process makes sure that the table has the task's process, and gives its
// verdict. The command line and the environment can be read only of the current task.
static __noinline bool know_process(struct process_key *key, struct task_struct *task, bool current)
{
	struct process *p;
	struct mm_struct *mm;

	p = bpf_map_lookup_elem(&processes, key);
	if (p && same_process(&p->key, key))
		return p->verdict;
	if (!p) {
		bpf_map_update_elem(&processes, key, &no_process, BPF_NOEXIST);
		p = bpf_map_lookup_elem(&processes, key);
		if (!p)
			return true;
	}
	p->parent = BPF_CORE_READ(task, real_parent, tgid);
	p->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	bpf_probe_read_kernel_str(p->name, NAME_LEN, (void *)BPF_CORE_READ(task, group_leader) + bpf_core_field_offset(struct task_struct, comm));
	mm = BPF_CORE_READ(task, mm);
	read_paths(p, task, mm);
	if (mm && current) {
		read_command(p, mm);
		read_variables(p, mm);
	}
	p->verdict = process_passes(p);
	barrier();
	p->key = *key;
	return p->verdict;
}
