// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// From an object of a TLS library to the socket that it uses, where the library
// itself keeps the file descriptor. A value that was read of a process's memory is
// believed only if it leads to a captured socket that carries TLS.
#pragma once

#include "../core/kernel.h"
#include "probe_spec.h"
#include "registers.h"
#include "tls.h"
#include <bpf/bpf_core_read.h>

enum { IPPROTO_TCP_NUMBER = 6 };

enum way {
	WAY_NONE,
	WAY_SSL, // a: BIO *, b: BIO_METHOD *, c: descriptor in the BIO
	WAY_SESSION, // a: descriptor
	WAY_GO, // a: net.Conn and descriptor, hash: of the type that must be in the net.Conn
};

const enum way *btf_way __attribute__((unused));

enum { GO_ITAB_HASH = 16 }; // where an interface's method table has its type's hash
enum { BIO_TYPE_DESCRIPTOR = 0x0100 }; // openssl/bio.h

// descriptor follows a way from an object.
static __always_inline __s32 descriptor(__u64 object, const struct probe_spec *p)
{
	__u64 at;

	switch (p->way) {
	case WAY_SSL:
		at = read_word(object + p->a);
		if (!at || !(read_int(read_word(at + p->b)) & BIO_TYPE_DESCRIPTOR))
			return -1;
		return read_int(at + p->c);
	case WAY_SESSION:
		return read_int(object + p->a);
	case WAY_GO:
		object += p->a & 0xff;
		if (p->hash && (__u32)read_int(read_word(object) + GO_ITAB_HASH) != p->hash)
			return -1;
		at = read_word(read_word(object + 8));
		return at ? read_int(at + (p->a >> 8)) : -1;
	}
	return -1;
}

// socket_cookie gives the cookie of the TCP socket behind a descriptor of the
// current process, or 0.
static __always_inline __u64 socket_cookie(__s32 fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;
	struct socket *socket;
	struct sock *sk;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return 0;
	files = BPF_CORE_READ(table, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return 0; // not a socket
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP_NUMBER)
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}
