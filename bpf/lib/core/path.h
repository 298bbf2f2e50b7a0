// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Paths as the kernel has them: names that end in NUL, the innermost first.
#pragma once

#include "kernel.h"
#include "record.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

enum {
	PATH_PARTS = 24,
	CGROUP_PARTS = 12,
};

// path_names is the memory that a path is put into.
struct path_names {
	__u8 *buffer; // PATH_LEN + PART_LEN bytes
	__u64 length;
	bool cut; // there is more of it
};

// append puts one name behind the others. The masks change nothing: they show older
// verifiers the same bounds in each round of a loop, so that they need not follow
// every round.
static __always_inline void append(struct path_names *path, const void *name)
{
	__u64 length = path->length;
	long n;

	if (length >= PATH_LEN) {
		path->cut = true;
		return;
	}
	asm volatile("" : "+r"(length));
	length &= PATH_LEN - 1;
	n = bpf_probe_read_kernel_str(path->buffer + length, PART_LEN, name);
	if (n == PART_LEN)
		path->cut = true;
	if (n > 1) {
		asm volatile("" : "+r"(n));
		length += n & (2 * PART_LEN - 1);
	}
	path->length = length;
}

// read_executable gives the path in the process's mount namespace.
static __always_inline void read_executable(struct path_names *path, struct mm_struct *mm)
{
	struct file *exe = BPF_CORE_READ(mm, exe_file);
	struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(exe, f_path.mnt);
	struct mount *mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < PATH_PARTS && exe; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount)
				return;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (dentry == parent)
			return;
		append(path, BPF_CORE_READ(dentry, d_name.name));
		dentry = parent;
	}
	path->cut = true;
}

static __always_inline struct kernfs_node *parent_node(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ((struct kernfs_node___named_parent *)node, parent);
}

// read_cgroup gives the path from the root of the hierarchy.
static __always_inline void read_cgroup(struct path_names *path, struct kernfs_node *node)
{
	for (int i = 0; i < CGROUP_PARTS; i++) {
		struct kernfs_node *parent = parent_node(node);

		if (!parent)
			return;
		append(path, BPF_CORE_READ(node, name));
		node = parent;
	}
	path->cut = true;
}
