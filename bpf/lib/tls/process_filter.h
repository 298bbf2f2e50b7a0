// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The filter of processes whose TLS is read. An exclusion wins over an inclusion; a process
// must be in each list that includes something. What can not be decided stays closed.
#pragma once

#include "../core/path.h"
#include "../core/task.h"
#include "../core/uapi.h"
#include "match.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

// process_subject is what a rule is about.
enum process_subject {
	PROCESS_NAME,
	PROCESS_EXECUTABLE,
	PROCESS_CGROUP,
	PROCESS_TEXTS,
	PROCESS_USER = PROCESS_TEXTS,
};

const enum process_subject *btf_process_subject __attribute__((unused));

enum {
	PROCESS_RULES = 1024,
	PROCESS_DECISIONS = 64, // at one time
};

volatile const __u32 process_rules = 0; // how many there are
volatile const __u32 process_lists = 0; // a bit for each list that includes something

struct process_rule {
	__u32 user;
	__u16 length;
	__u8 subject;
	__u8 list; // its bit; 0: the rule excludes
	__u8 pattern[PATTERN_LEN]; // for match
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROCESS_RULES);
	__type(key, __u32);
	__type(value, struct process_rule);
} tls_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, __u8);
} tls_verdicts SEC(".maps");

// process_texts is what a decision needs to know of a process.
struct process_texts {
	__u32 length[PROCESS_TEXTS];
	__u32 pad;
	__u8 text[PROCESS_TEXTS][TEXT_LEN];
};

static const struct process_texts no_texts;

// tls_texts holds what does not fit on the stack, by thread.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESS_DECISIONS);
	__type(key, __u64);
	__type(value, struct process_texts);
} tls_texts SEC(".maps");

// decision is the state of looking through the rules.
struct decision {
	struct process_texts *texts;
	__u32 lists; // that include the process
	__u32 user;
	__u32 cut; // a bit for each text of which there is more
	bool excluded;
	bool doubt;
};

static __always_inline enum match_result rule_matches(struct decision *d, const struct process_rule *rule)
{
	__u32 subject = rule->subject;

	if (subject >= PROCESS_TEXTS)
		return rule->user == d->user ? MATCHES : DIFFERS;
	if (d->cut & 1 << subject)
		return UNDECIDED;
	return match(d->texts->text[subject], d->texts->length[subject], rule->pattern, rule->length);
}

static long apply_rule(__u32 i, struct decision *d)
{
	struct process_rule *rule = bpf_map_lookup_elem(&tls_rules, &i);
	enum match_result result;

	if (!rule)
		return 1;
	result = rule_matches(d, rule);
	if (result == UNDECIDED)
		d->doubt = true;
	if (result == MATCHES && !rule->list) {
		d->excluded = true;
		return 1;
	}
	if (result == MATCHES)
		d->lists |= rule->list;
	return 0;
}

static __always_inline void read_texts(struct decision *d, struct task_struct *task)
{
	struct process_texts *texts = d->texts;
	struct path_names exe = { .buffer = texts->text[PROCESS_EXECUTABLE] };
	struct path_names cgroup = { .buffer = texts->text[PROCESS_CGROUP] };
	long n;

	n = bpf_probe_read_kernel_str(texts->text[PROCESS_NAME], NAME_LEN,
				      (void *)BPF_CORE_READ(task, group_leader) + bpf_core_field_offset(struct task_struct, comm));
	texts->length[PROCESS_NAME] = n > 0 ? n : 0;
	read_executable(&exe, BPF_CORE_READ(task, mm));
	texts->length[PROCESS_EXECUTABLE] = exe.length;
	read_cgroup(&cgroup, BPF_CORE_READ(task, cgroups, dfl_cgrp, kn));
	texts->length[PROCESS_CGROUP] = cgroup.length;
	d->cut = exe.cut << PROCESS_EXECUTABLE | cgroup.cut << PROCESS_CGROUP;
}

static __always_inline bool decide(struct process_texts *texts, struct task_struct *task)
{
	struct decision d = { .texts = texts, .user = bpf_get_current_uid_gid() };

	read_texts(&d, task);
	bpf_loop(process_rules, apply_rule, &d, 0);
	return !d.excluded && !d.doubt && (d.lists & process_lists) == process_lists;
}

// process_allowed returns the verdict for the current process. It is kept for as long as
// the process runs the same program.
static __noinline bool process_allowed(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 thread = bpf_get_current_pid_tgid();
	struct process_texts *texts;
	struct process_key key;
	__u8 verdict, *known;

	if (!process_rules)
		return true;
	process_key(&key, task);
	known = bpf_map_lookup_elem(&tls_verdicts, &key);
	if (known)
		return *known;
	bpf_map_update_elem(&tls_texts, &thread, &no_texts, BPF_ANY);
	texts = bpf_map_lookup_elem(&tls_texts, &thread);
	if (!texts)
		return false; // until there is room to decide
	verdict = decide(texts, task);
	bpf_map_delete_elem(&tls_texts, &thread);
	bpf_map_update_elem(&tls_verdicts, &key, &verdict, BPF_ANY);
	return verdict;
}
