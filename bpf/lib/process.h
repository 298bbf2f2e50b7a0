// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The table of processes that own sockets. An entry is made while the process
// runs, so that it can be told after it is gone.
#pragma once

#include "environ.h"
#include "filter.h"
#include "kernel.h"
#include "record.h"
#include "task.h"
#include <bpf/bpf_core_read.h>

enum {
	PATH_PARTS = 24,
	CGROUP_PARTS = 12,
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, struct process);
} processes SEC(".maps");

// An entry is filled in place: it fits neither on the stack nor, because the
// task can be preempted, in scratch memory of the CPU.
static const struct process no_process;

// append puts one name behind the others and gives the new length. The masks
// change nothing: they show older verifiers the same bounds in each round of a
// loop, so that they need not follow every round.
static __always_inline __u64 append(__u8 *buffer, __u64 length, const void *name)
{
	long n;

	if (length >= PATH_LEN)
		return length;
	asm volatile("" : "+r"(length));
	length &= PATH_LEN - 1;
	n = bpf_probe_read_kernel_str(buffer + length, PART_LEN, name);
	if (n > 1) {
		asm volatile("" : "+r"(n));
		length += n & (2 * PART_LEN - 1);
	}
	return length;
}

static __always_inline void read_executable(struct process *p, struct mm_struct *mm)
{
	struct file *exe = BPF_CORE_READ(mm, exe_file);
	struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(exe, f_path.mnt);
	struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	__u64 length = 0;

	for (int i = 0; i < PATH_PARTS && exe; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (dentry == parent)
			break;
		length = append(p->exe, length, BPF_CORE_READ(dentry, d_name.name));
		dentry = parent;
	}
	p->exe_len = length;
}

static __always_inline struct kernfs_node *parent_node(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ((struct kernfs_node___named_parent *)node, parent);
}

static __always_inline void read_cgroup(struct process *p, struct task_struct *task)
{
	struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	__u64 length = 0;

	p->cgroup = BPF_CORE_READ(node, id);
	for (int i = 0; i < CGROUP_PARTS; i++) {
		struct kernfs_node *parent = parent_node(node);

		if (!parent)
			break;
		length = append(p->cgroup_path, length, BPF_CORE_READ(node, name));
		node = parent;
	}
	p->cgroup_len = length;
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
	read_cgroup(p, task);
	mm = BPF_CORE_READ(task, mm);
	if (mm) {
		read_executable(p, mm);
		if (current) {
			read_command(p, mm);
			read_variables(p, mm);
		}
	}
	p->verdict = process_passes(p);
	barrier();
	p->key = *key;
	return p->verdict;
}
