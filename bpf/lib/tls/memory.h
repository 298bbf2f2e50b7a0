// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// What an object of OpenSSL or BoringSSL has put into memory and the program has not
// fetched yet. What is read here is believed only if a socket sends the very same bytes.
#pragma once

#include "probe_spec.h"
#include "registers.h"
#include "tls.h"

// Types of BIOs (openssl/bio.h).
enum {
	BIO_TYPE_MEMORY = 1 | 0x0400, // also of Node.js
	BIO_TYPE_PAIR = 19 | 0x0400,
	BIO_TYPE_BUFFER = 9 | 0x0200, // in front of the others during a handshake
};

// Members of a BIO, from its num on, which is known (descriptor.h).
enum {
	BIO_POINTER = 8, // bio_st.ptr: what the BIO's kind keeps
	BIO_NEXT = 16,
};

// struct buf_mem_st (openssl/buffer.h); its length was an int before OpenSSL 1.1.
enum {
	BUFFER_LENGTH = 0,
	BUFFER_DATA = 8,
};

enum { MEMORY_UNREAD = 8 }; // struct bio_buf_mem_st.readp (crypto/bio/bss_mem.c since OpenSSL 1.1)

// struct bio_bio_st (crypto/bio/bss_bio.c).
enum {
	PAIR_LENGTH = 16,
	PAIR_OFFSET = 24,
	PAIR_SIZE = 32,
	PAIR_BUFFER = 40,
};

// class NodeBIO (node/src/crypto/crypto_bio.h) and its class Buffer.
enum {
	NODE_HEAD = 48,
	NODE_BUFFER_READ = 8,
	NODE_BUFFER_WRITTEN = 16,
	NODE_BUFFER_DATA = 40,
};

// read_output reads how a run of records begins, if there are as many bytes of it.
static __always_inline bool read_output(struct output *begin, __u64 at, __u64 length)
{
	return length >= OUTPUT_LEN && at && !bpf_probe_read_user(begin, sizeof(*begin), (void *)at) &&
	       record_type(begin->bytes);
}

static __always_inline bool read_buffer(struct output *begin, __u64 buffer)
{
	return read_output(begin, read_word(buffer + BUFFER_DATA), (__u32)read_word(buffer + BUFFER_LENGTH));
}

static __always_inline bool read_node_buffer(struct output *begin, __u64 buffer)
{
	__u64 from = read_word(buffer + NODE_BUFFER_READ), to = read_word(buffer + NODE_BUFFER_WRITTEN);

	return to > from && read_output(begin, read_word(buffer + NODE_BUFFER_DATA) + from, to - from);
}

static __always_inline bool read_pair(struct output *begin, __u64 pair)
{
	__u64 offset = read_word(pair + PAIR_OFFSET), size = read_word(pair + PAIR_SIZE);

	return offset + OUTPUT_LEN <= size && // its buffer is a ring
	       read_output(begin, read_word(pair + PAIR_BUFFER) + offset, read_word(pair + PAIR_LENGTH));
}

// read_unsent reads the beginning of what an object has put into memory. The place is one
// of WAY_SSL.
static __always_inline bool read_unsent(struct output *begin, __u64 object, const struct probe_spec *p)
{
	// A BIO for writing follows the one for reading (the package symbol sees to that).
	__u64 bio = read_word(object + p->a + (p->operation == OPERATION_WRITE ? 0 : 8)), data;
	__u32 type;

	if (!bio)
		return false;
	type = read_int(read_word(bio + p->b));
	if (type == BIO_TYPE_BUFFER) {
		bio = read_word(bio + p->c + BIO_NEXT);
		type = read_int(read_word(bio + p->b));
	}
	if (type != BIO_TYPE_MEMORY && type != BIO_TYPE_PAIR)
		return false;
	data = read_word(bio + p->c + BIO_POINTER);
	if (type == BIO_TYPE_PAIR)
		return read_pair(begin, data);
	return read_buffer(begin, read_word(data + MEMORY_UNREAD)) || // OpenSSL
	       read_buffer(begin, data) || // BoringSSL
	       read_node_buffer(begin, read_word(data + NODE_HEAD));
}
