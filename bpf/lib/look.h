// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Which processes may be looked into. An exclusion wins over an inclusion, and a
// list that includes something excludes everything else; both lists must agree.
#pragma once

#include "kernel.h"
#include "task.h"
#include "uapi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum {
	LOOK_INCLUDE = 1,
	LOOK_EXCLUDE = 2,
	LOOK_NAME_LEN = 64,
	LOOK_DEPTH = 12, // cgroups that are looked at
};

volatile const bool look_names = false, look_include_names = false;
volatile const bool look_cgroups = false, look_include_cgroups = false;

struct look_name {
	__u8 name[LOOK_NAME_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct look_name);
	__type(value, __u8);
} tls_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} tls_cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, __u8);
} tls_verdicts SEC(".maps");

static __always_inline bool look_passes(__u8 found, bool include)
{
	if (found & LOOK_EXCLUDE)
		return false;
	return !include || (found & LOOK_INCLUDE);
}

static __always_inline __u8 name_found(struct task_struct *task)
{
	struct look_name key = {};
	__u8 found = 0, *flags;

	bpf_probe_read_kernel_str(key.name, 16, (void *)BPF_CORE_READ(task, group_leader) + bpf_core_field_offset(struct task_struct, comm));
	flags = bpf_map_lookup_elem(&tls_names, &key);
	if (flags)
		found |= *flags;
	__builtin_memset(&key, 0, sizeof(key));
	bpf_probe_read_kernel_str(key.name, sizeof(key.name),
				  BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name));
	flags = bpf_map_lookup_elem(&tls_names, &key);
	if (flags)
		found |= *flags;
	return found;
}

static __always_inline __u8 cgroup_found(void)
{
	__u8 found = 0;

	for (int level = 0; level < LOOK_DEPTH; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);
		__u8 *flags;

		if (!id)
			break;
		flags = bpf_map_lookup_elem(&tls_cgroups, &id);
		if (flags)
			found |= *flags;
	}
	return found;
}

// may_look gives the verdict for the current process. It is kept for as long as
// the process runs the same program.
static __noinline bool may_look(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_key key;
	__u8 verdict, *known;

	if (!look_names && !look_cgroups)
		return true;
	process_key(&key, task);
	known = bpf_map_lookup_elem(&tls_verdicts, &key);
	if (known)
		return *known;
	verdict = (!look_names || look_passes(name_found(task), look_include_names)) &&
		  (!look_cgroups || look_passes(cgroup_found(), look_include_cgroups));
	bpf_map_update_elem(&tls_verdicts, &key, &verdict, BPF_ANY);
	return verdict;
}
