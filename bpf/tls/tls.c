// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Plaintext where a process's own TLS library handles it. The programs run at the
// entry and the return of the library's functions. They only read.

#include "../lib/core/kernel.h"
#include "../lib/core/record.h"
#include "../lib/core/task.h"
#include "../lib/core/uapi.h"
#include "../lib/tls/descriptor.h"
#include "../lib/tls/emit.h"
#include "../lib/tls/memory.h"
#include "../lib/tls/probe_spec.h"
#include "../lib/tls/process_filter.h"
#include "../lib/tls/registers.h"
#include "../lib/tls/rustls.h"
#include "../lib/tls/tls.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

static const struct session late_session = { .sent = POSITION_LATE, .received = POSITION_LATE };
static const struct session new_session;

static __always_inline struct session *session_of(const struct session_key *key)
{
	struct session *s = bpf_map_lookup_elem(&tls_sessions, key);

	if (s)
		return s;
	bpf_map_update_elem(&tls_sessions, key, &late_session, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_sessions, key);
}

// find_socket asks the library itself for the socket.
static __noinline void find_socket(struct session *s, __u64 object, const struct probe_spec *p)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_key process;
	__u64 socket = socket_cookie(descriptor(object, p));
	__u32 *shard;

	if (!socket || s->socket == socket)
		return;
	shard = bpf_map_lookup_elem(&tls_sockets, &socket);
	if (!shard)
		return;
	if (s->socket) { // a new object at the place of an old one
		s->sent = POSITION_LATE;
		s->received = POSITION_LATE;
	}
	s->shard = *shard;
	s->socket = socket;
	process_key(&process, task);
	count_coverage(&process, COVERAGE_BOUND);
}

// took says that a call's function took or gave n bytes at buffer. It reports whether the
// object's socket is known.
static __always_inline bool took(const struct call *call, __u64 buffer, __u64 n, const struct probe_spec *p, bool changes)
{
	struct session_key key = { .object = call->object, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct emission e = { .from = buffer, .left = n };
	struct session *s = session_of(&key);

	if (!s)
		return false;
	if (p->way && (changes || !s->socket))
		find_socket(s, call->object, p);
	if (!s->socket && s->early && p->operation == OPERATION_WRITE) {
		s->early += n;
		return false;
	}
	if (p->operation == OPERATION_WRITE) {
		e.direction = EGRESS;
		e.offset = s->sent;
		s->sent += n;
	} else {
		e.direction = INGRESS;
		e.offset = s->received;
		s->received += n;
	}
	if (!s->socket) {
		count_unbound(UNBOUND_CALLS, 1);
		count_unbound(UNBOUND_BYTES, n);
		return false;
	}
	e.time = bpf_ktime_get_ns();
	e.socket = s->socket;
	e.shard = s->shard;
	emit(&e);
	return true;
}

// note_output notes what an object without a socket has put into memory: the socket that
// sends it is the object's.
static __noinline void note_output(__u64 object, const struct probe_spec *p)
{
	struct output_of of = { .session = { .object = object, .pid = bpf_get_current_pid_tgid() >> 32 } };
	struct output begin = {};
	struct session *s = bpf_map_lookup_elem(&tls_sessions, &of.session);

	if ((s && s->socket) || !read_unsent(&begin, object, p))
		return;
	if (!s) {
		bpf_map_update_elem(&tls_sessions, &of.session, opens(begin.bytes[0]) ? &new_session : &late_session, BPF_NOEXIST);
		s = bpf_map_lookup_elem(&tls_sessions, &of.session);
		if (!s)
			return;
	}
	if (!s->id)
		s->id = bpf_ktime_get_ns();
	of.id = s->id;
	bpf_map_update_elem(&tls_outputs, &begin, &of, BPF_ANY);
}

// flushing tells whether a function is called by one that hands over again what the
// program has handed over before (GnuTLS, corked).
static __always_inline bool flushing(const struct call_key *key, const struct probe_spec *p)
{
	struct call *call;

	if (p->outcome != OUTCOME_LONG || p->operation != OPERATION_WRITE)
		return false;
	call = bpf_map_lookup_elem(&tls_calls, key);
	return call && call->inside && call->operation == OPERATION_FLUSH;
}

// begin_early notes that an object is given early data. The library sends nothing before
// it has that, so that the socket is known only when it has taken it.
static __always_inline void begin_early(__u64 object)
{
	struct session_key key = { .object = object, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct session early = { .early = 1 }, *s = bpf_map_lookup_elem(&tls_sessions, &key);

	if (!s)
		bpf_map_update_elem(&tls_sessions, &key, &early, BPF_ANY);
	else if (!s->socket)
		s->early = 1;
}

// end_early hands over the early data of the last call, which was nested in this one.
static __always_inline void end_early(const struct call *call, struct probe_spec *p)
{
	struct session_key key = { .object = call->object, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct session *s = bpf_map_lookup_elem(&tls_sessions, &key);
	__u32 n;

	if (!s || !s->early)
		return;
	n = s->early - 1;
	s->early = 0;
	p->operation = OPERATION_WRITE;
	if (n && call->operation == OPERATION_WRITE)
		took(call, call->buffer, n, p, false);
}

// begin_session notes an object whose handshake begins here: another thread may send what
// it says.
static __always_inline void begin_session(__u64 object)
{
	struct session_key key = { .object = object, .pid = bpf_get_current_pid_tgid() >> 32 };

	bpf_map_update_elem(&tls_sessions, &key, &new_session, BPF_NOEXIST);
}

SEC("uprobe")
int library_enter(struct pt_regs *ctx)
{
	struct call_key key = { .thread = bpf_get_current_pid_tgid() };
	struct call call = { .inside = true };
	__u64 fourth = ARGUMENT4(ctx), fifth = ARGUMENT5(ctx);
	struct probe_spec p;

	if (!process_allowed())
		return 0;
	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	if (flushing(&key, &p))
		return 0;
	call.operation = p.operation;
	call.object = p.outcome == OUTCOME_RUST ? rustls_object(ctx, &key, p.operation) : ARGUMENT1(ctx);
	call.buffer = ARGUMENT2(ctx);
	if (p.operation == OPERATION_HANDSHAKE && p.outcome != OUTCOME_RUST)
		begin_session(call.object);
	if (p.operation == OPERATION_EARLY)
		begin_early(call.object);
	if (p.outcome == OUTCOME_STORED4)
		call.length_at = fourth;
	else if (p.outcome == OUTCOME_STORED5)
		call.length_at = fifth;
	bpf_map_update_elem(&tls_calls, &key, &call, BPF_ANY);
	return 0;
}

// taken returns how many bytes a call took or gave, by what its function returned.
static __always_inline __s64 taken(const struct call *call, __s64 n, __u64 second, const struct probe_spec *p)
{
	if (p->operation != OPERATION_WRITE && p->operation != OPERATION_READ)
		return 0;
	if (p->outcome == OUTCOME_RUST)
		return n ? 0 : second;
	if (p->outcome != OUTCOME_LONG)
		n = (__s32)n;
	if (n > 0 && (p->outcome == OUTCOME_STORED4 || p->outcome == OUTCOME_STORED5))
		n = read_word(call->length_at);
	return n;
}

// library_return leaves the call noted: rustls.h needs to know what was last.
SEC("uretprobe")
int library_return(struct pt_regs *ctx)
{
	struct call_key key = { .thread = bpf_get_current_pid_tgid() };
	struct call *call = bpf_map_lookup_elem(&tls_calls, &key);
	__s64 n = RESULT(ctx);
	struct probe_spec p;

	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	if (call && p.operation == OPERATION_EARLY) {
		end_early(call, &p);
		return 0;
	}
	if (!call || !call->inside || call->operation != p.operation)
		return 0;
	call->inside = false;
	n = taken(call, n, RESULT2(ctx), &p);
	if (n > 0 && took(call, call->buffer, n, &p, false))
		return 0;
	if (p.way == WAY_SSL)
		note_output(call->object, &p);
	return 0;
}

// library_forget runs where an object is given up.
SEC("uprobe")
int library_forget(struct pt_regs *ctx)
{
	struct session_key key = { .object = ARGUMENT1(ctx), .pid = bpf_get_current_pid_tgid() >> 32 };

	bpf_map_delete_elem(&tls_sessions, &key);
	return 0;
}

enum {
	GO_STACK_HIGH = 8, // g.stack.hi
	GO_STACK_LOW = 0,
	GO_TLS = -8, // of the pointer to g, from the thread pointer, in the old convention on amd64
};

static __always_inline __u64 goroutine(struct pt_regs *ctx, const struct probe_spec *p)
{
#if defined(__TARGET_ARCH_x86)
	if (p->outcome == OUTCOME_GO_STACK) {
		struct task_struct *task = (void *)bpf_get_current_task();

		return read_word(BPF_CORE_READ(task, thread.fsbase) + GO_TLS);
	}
#endif
	(void)p;
	return GOROUTINE(ctx);
}

static __always_inline __u64 go_receiver(struct pt_regs *ctx, const struct probe_spec *p)
{
	return p->outcome == OUTCOME_GO_STACK ? read_word(STACK(ctx) + 8) : GO_WORD1(ctx);
}

// go_handshake runs where an object's handshake begins, also one that is not the first.
SEC("uprobe")
int go_handshake(struct pt_regs *ctx)
{
	struct session_key key = { .pid = bpf_get_current_pid_tgid() >> 32 };
	struct session *s;
	struct probe_spec p;

	if (!process_allowed())
		return 0;
	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	key.object = go_receiver(ctx, &p);
	s = bpf_map_lookup_elem(&tls_sessions, &key);
	if (s && s->socket && p.way && s->socket == socket_cookie(descriptor(key.object, &p)))
		return 0;
	bpf_map_update_elem(&tls_sessions, &key, &new_session, BPF_ANY);
	return 0;
}

enum { GO_APPLICATION_DATA = 23 }; // a record's type, RFC 8446, section 5.1

// go_enter notes a goroutine's call. Its stack may be moved meanwhile, and the
// buffer with it.
SEC("uprobe")
int go_enter(struct pt_regs *ctx)
{
	__u64 first = GO_WORD1(ctx), second = GO_WORD2(ctx), third = GO_WORD3(ctx), fourth = GO_WORD4(ctx);
	struct call_key key = { .thread = bpf_get_current_pid_tgid() >> 32 << 32 };
	struct call call = { .inside = true };
	struct probe_spec p;
	__u64 high;

	if (!process_allowed())
		return 0;
	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	call.operation = p.operation;
	key.goroutine = goroutine(ctx, &p);
	if (p.outcome == OUTCOME_GO_STACK) {
		call.object = read_word(STACK(ctx) + 8);
		call.buffer = read_word(STACK(ctx) + 16);
	} else if (p.outcome == OUTCOME_GO_RECORD) {
		if ((__u8)second != GO_APPLICATION_DATA)
			return 0;
		call.object = first;
		call.buffer = third;
		call.length = fourth;
	} else {
		call.object = first;
		call.buffer = second;
	}
	high = read_word(key.goroutine + GO_STACK_HIGH);
	if (call.buffer < high && call.buffer >= read_word(key.goroutine + GO_STACK_LOW))
		call.stack = high;
	bpf_map_update_elem(&tls_calls, &key, &call, BPF_ANY);
	return 0;
}

// go_return runs at each of a function's return instructions, or behind each call of
// writeRecordLocked.
SEC("uprobe")
int go_return(struct pt_regs *ctx)
{
	__u64 first = GO_WORD1(ctx);
	struct call_key key = { .thread = bpf_get_current_pid_tgid() >> 32 << 32 };
	struct call *found, call;
	struct probe_spec p;
	__s64 n;

	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	key.goroutine = goroutine(ctx, &p);
	found = bpf_map_lookup_elem(&tls_calls, &key);
	if (!found || found->operation != p.operation)
		return 0;
	call = *found;
	bpf_map_delete_elem(&tls_calls, &key);
	if (p.outcome == OUTCOME_GO_RECORD)
		n = call.length;
	else
		n = p.outcome == OUTCOME_GO_STACK ? read_word(STACK(ctx) + 40) : first;
	if (n <= 0)
		return 0;
	if (call.stack)
		call.buffer += read_word(key.goroutine + GO_STACK_HIGH) - call.stack;
	took(&call, call.buffer, n, &p, true);
	return 0;
}

// go_copy runs where Read calls memmove with what was decrypted. Its receiver is above the
// frame pointer and the return address.
SEC("uprobe")
int go_copy(struct pt_regs *ctx)
{
	__u64 buffer = GO_WORD2(ctx), n = GO_WORD3(ctx);
	struct call call = {};
	struct probe_spec p;

	if (!process_allowed())
		return 0;
	read_probe_spec(&p, bpf_get_attach_cookie(ctx));
	call.object = read_word(FRAME(ctx) + 16);
	if (n)
		took(&call, buffer, n, &p, true);
	return 0;
}

// process_exec tells of programs that begin.
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	struct process_key key;

	(void)ctx;
	process_key(&key, task);
	submit_event(EVENT_EXEC, &key);
	return 0;
}

char _license[] SEC("license") = "Dual MIT/GPL";
