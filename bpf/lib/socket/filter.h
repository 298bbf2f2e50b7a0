// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What to capture, decided before anything is copied. Each list holds a flag
// per entry; an exclusion wins over an inclusion, and a list that includes
// something excludes everything else.
#pragma once

#include "../core/record.h"
#include "flow.h"

enum filter_flag {
	INCLUDE = 1,
	EXCLUDE = 2,
};

const enum filter_flag *btf_filter_flag __attribute__((unused));

enum { CUT_SHIFT = 2 }; // of the same flags, for a longer name that begins like this
enum { CGROUP_DEPTH = 12 }; // ancestors that are looked at

// Lists that are not empty, and those of them that include something.
volatile const bool filter_ports = false, include_ports = false;
volatile const bool filter_addresses = false, include_addresses = false;
volatile const bool filter_cgroups = false, include_cgroups = false;
volatile const bool filter_processes = false, include_processes = false;

// filter_generation changes whenever a list does: verdicts are cached.
__u32 filter_generation = 1;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u8);
} ports SEC(".maps");

// An IPv4 prefix is stored as its IPv6 mapping without the ffff word: 96 zero
// bits and the address, as in struct packet.
struct prefix {
	__u32 length;
	__be32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u8);
} prefixes4 SEC(".maps"), prefixes6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u8);
} cgroups SEC(".maps");

enum { FILTER_NAME_LEN = 64 };

struct filter_name {
	__u8 name[FILTER_NAME_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct filter_name);
	__type(value, __u8);
} names SEC(".maps");

static __always_inline bool passes(__u8 found, bool include)
{
	if (found & EXCLUDE)
		return false;
	return !include || (found & INCLUDE);
}

static __always_inline __u8 port_flags(__u32 port)
{
	__u16 key = port;
	__u8 *flags = bpf_map_lookup_elem(&ports, &key);

	return flags ? *flags : 0;
}

// address_flags gives the flags of the longest prefix that covers the address.
static __always_inline __u8 address_flags(const struct end *e, bool ip4)
{
	struct prefix key = { .length = 128 };
	__u8 *flags;

	__builtin_memcpy(key.address, e->address, sizeof(key.address));
	flags = ip4 ? bpf_map_lookup_elem(&prefixes4, &key) : bpf_map_lookup_elem(&prefixes6, &key);
	return flags ? *flags : 0;
}

// flow_passes asks the lists of ports and addresses. Either end may match.
static __always_inline bool flow_passes(const struct flow *f, bool ip4)
{
	if (filter_ports && !passes(port_flags(f->low.port) | port_flags(f->high.port), include_ports))
		return false;
	if (filter_addresses &&
	    !passes(address_flags(&f->low, ip4) | address_flags(&f->high, ip4), include_addresses))
		return false;
	return true;
}

// cgroup_passes asks the list of cgroups for the socket's cgroup and all above it.
static __always_inline bool cgroup_passes(struct __sk_buff *skb)
{
	__u8 found = 0;

	if (!filter_cgroups)
		return true;
	for (int level = 0; level < CGROUP_DEPTH; level++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, level);
		__u8 *flags;

		if (!id)
			break;
		flags = bpf_map_lookup_elem(&cgroups, &id);
		if (flags)
			found |= *flags;
	}
	return passes(found, include_cgroups);
}

// begins_with tells whether a name of a file begins with a process's whole own name.
static __always_inline bool begins_with(const struct filter_name *file, const struct process *p)
{
	bool same = true;

	for (int i = 0; i < NAME_LEN - 1; i++)
		same &= file->name[i] == p->name[i];
	return same;
}

// process_passes asks the list of names for the process's own name and the
// last part of its executable's path. Of its own name the kernel has the beginning
// only: what the list has of that is for scripts, whose executable has another name.
static __always_inline bool process_passes(const struct process *p)
{
	struct filter_name key = {};
	__u8 found = 0, cut = 0, *flags;

	if (!filter_processes)
		return true;
	bpf_probe_read_kernel_str(key.name, NAME_LEN, p->name);
	flags = bpf_map_lookup_elem(&names, &key);
	if (flags) {
		found |= *flags & (INCLUDE | EXCLUDE);
		cut = *flags >> CUT_SHIFT;
	}
	__builtin_memset(&key, 0, sizeof(key));
	bpf_probe_read_kernel_str(key.name, sizeof(key.name), p->exe);
	flags = bpf_map_lookup_elem(&names, &key);
	if (flags)
		found |= *flags & (INCLUDE | EXCLUDE);
	if (cut && !begins_with(&key, p))
		found |= cut;
	return passes(found, include_processes);
}
