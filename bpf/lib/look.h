// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Which processes may be looked into. An exclusion wins over an inclusion; a process
// must be in each list that includes something. What can not be decided stays closed.
#pragma once

#include "match.h"
#include "path.h"
#include "task.h"
#include "uapi.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

// look_subject is what a rule is about.
enum look_subject {
	LOOK_NAME,
	LOOK_EXECUTABLE,
	LOOK_CGROUP,
	LOOK_TEXTS,
	LOOK_USER = LOOK_TEXTS,
};

enum {
	LOOK_RULES = 1024,
	LOOK_DECISIONS = 64, // at one time
};

volatile const __u32 look_rules = 0; // how many there are
volatile const __u32 look_lists = 0; // a bit for each list that includes something

struct look_rule {
	__u32 user;
	__u16 length;
	__u8 subject;
	__u8 list; // its bit; 0: the rule excludes
	__u8 pattern[PATTERN_LEN]; // for match
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOOK_RULES);
	__type(key, __u32);
	__type(value, struct look_rule);
} tls_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct process_key);
	__type(value, __u8);
} tls_verdicts SEC(".maps");

// look_texts is what a decision needs to know of a process.
struct look_texts {
	__u32 length[LOOK_TEXTS];
	__u32 pad;
	__u8 text[LOOK_TEXTS][TEXT_LEN];
};

static const struct look_texts no_texts;

// tls_texts holds what does not fit on the stack, by thread.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LOOK_DECISIONS);
	__type(key, __u64);
	__type(value, struct look_texts);
} tls_texts SEC(".maps");

// decision is the state of looking through the rules.
struct decision {
	struct look_texts *texts;
	__u32 lists; // that include the process
	__u32 user;
	__u32 cut; // a bit for each text of which there is more
	bool excluded;
	bool doubt;
};

static __always_inline enum match_result rule_matches(struct decision *d, const struct look_rule *rule)
{
	__u32 subject = rule->subject;

	if (subject >= LOOK_TEXTS)
		return rule->user == d->user ? MATCHES : DIFFERS;
	if (d->cut & 1 << subject)
		return UNDECIDED;
	return match(d->texts->text[subject], d->texts->length[subject], rule->pattern, rule->length);
}

static long look_at_rule(__u32 i, struct decision *d)
{
	struct look_rule *rule = bpf_map_lookup_elem(&tls_rules, &i);
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
	struct look_texts *texts = d->texts;
	struct path_names exe = { .buffer = texts->text[LOOK_EXECUTABLE] };
	struct path_names cgroup = { .buffer = texts->text[LOOK_CGROUP] };
	long n;

	n = bpf_probe_read_kernel_str(texts->text[LOOK_NAME], NAME_LEN,
				      (void *)BPF_CORE_READ(task, group_leader) + bpf_core_field_offset(struct task_struct, comm));
	texts->length[LOOK_NAME] = n > 0 ? n : 0;
	read_executable(&exe, BPF_CORE_READ(task, mm));
	texts->length[LOOK_EXECUTABLE] = exe.length;
	read_cgroup(&cgroup, BPF_CORE_READ(task, cgroups, dfl_cgrp, kn));
	texts->length[LOOK_CGROUP] = cgroup.length;
	d->cut = exe.cut << LOOK_EXECUTABLE | cgroup.cut << LOOK_CGROUP;
}

static __always_inline bool decide(struct look_texts *texts, struct task_struct *task)
{
	struct decision d = { .texts = texts, .user = bpf_get_current_uid_gid() };

	read_texts(&d, task);
	bpf_loop(look_rules, look_at_rule, &d, 0);
	return !d.excluded && !d.doubt && (d.lists & look_lists) == look_lists;
}

// may_look gives the verdict for the current process. It is kept for as long as
// the process runs the same program.
static __noinline bool may_look(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 thread = bpf_get_current_pid_tgid();
	struct look_texts *texts;
	struct process_key key;
	__u8 verdict, *known;

	if (!look_rules)
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
