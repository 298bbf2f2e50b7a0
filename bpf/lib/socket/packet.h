// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// The few header fields that decide what happens to a packet. At the socket
// there are no fragments: they are joined before it and made after it.
#pragma once

#include "../core/uapi.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum {
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
	IPPROTO_MPTCP = 262,
	ETH_P_IP = 0x0800,
	ETH_P_IPV6 = 0x86dd,
};

enum {
	TCP_FIN = 1,
	TCP_SYN = 2,
	TCP_RST = 4,
	TCP_ACK = 16,
};

enum { EXTENSION_HEADERS = 8 }; // as many as are walked

struct packet {
	__be32 source[4]; // an IPv4 address is in the last word, the others are 0
	__be32 destination[4];
	__u16 source_port; // host byte order
	__u16 destination_port;
	__u8 transport;
	__u8 flags; // TCP only
	__u8 pad[2];
	__u32 seq; // TCP only, host byte order
	__u32 ack;
	__u32 headers; // bytes before the payload
	__u32 payload; // bytes after the transport header
};

struct ip4_header {
	__u8 version_ihl;
	__u8 tos;
	__be16 total_length;
	__be16 id;
	__be16 fragment;
	__u8 ttl;
	__u8 protocol;
	__be16 checksum;
	__be32 source;
	__be32 destination;
};

struct ip6_header {
	__be32 version_flow;
	__be16 payload_length;
	__u8 next;
	__u8 hop_limit;
	__be32 source[4];
	__be32 destination[4];
};

// transport_header is what TCP and UDP have in common, and TCP's next bytes.
struct transport_header {
	__be16 source_port;
	__be16 destination_port;
	__be32 seq;
	__be32 ack;
	__u8 data_offset;
	__u8 flags;
};

enum { UDP_HEADER = 8 };

// skip_extensions walks the IPv6 extension headers (RFC 8200, section 4) from
// offset on, and gives the offset of the transport header, or 0.
static __always_inline __u32 skip_extensions(struct __sk_buff *skb, __u32 offset, __u8 next, __u8 *transport)
{
	for (int i = 0; i < EXTENSION_HEADERS; i++) {
		__u8 head[2];

		switch (next) {
		case IPPROTO_TCP:
		case IPPROTO_UDP:
			*transport = next;
			return offset;
		case 0: // hop-by-hop options
		case 43: // routing
		case 44: // fragment, only as an atomic one
		case 60: // destination options
		case 135: // mobility
		case 139: // host identity
		case 140: // shim6
		case 51: // authentication
			break;
		default:
			return 0;
		}
		if (bpf_skb_load_bytes(skb, offset, head, sizeof(head)))
			return 0;
		if (next == 44)
			offset += 8;
		else if (next == 51)
			offset += ((__u32)head[1] + 2) * 4;
		else
			offset += ((__u32)head[1] + 1) * 8;
		next = head[0];
	}
	return 0;
}

static __always_inline __u32 parse_network(struct __sk_buff *skb, struct packet *p)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct ip4_header ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		p->source[3] = ip.source;
		p->destination[3] = ip.destination;
		p->transport = ip.protocol;
		return (__u32)(ip.version_ihl & 0xf) * 4;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ip6_header ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		__builtin_memcpy(p->source, ip.source, sizeof(p->source));
		__builtin_memcpy(p->destination, ip.destination, sizeof(p->destination));
		return skip_extensions(skb, sizeof(ip), ip.next, &p->transport);
	}
	return 0;
}

static __always_inline bool is_ip4(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IP);
}

// parse fills p, which is zero before, and tells whether it is TCP or UDP.
static __always_inline bool parse(struct __sk_buff *skb, struct packet *p)
{
	struct transport_header th = {};
	__u32 offset = parse_network(skb, p);
	__u32 header;

	if (!offset)
		return false;
	if (p->transport == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, offset, &th, 14))
			return false;
		header = (__u32)(th.data_offset >> 4) * 4;
		p->flags = th.flags;
		p->seq = bpf_ntohl(th.seq);
		p->ack = bpf_ntohl(th.ack);
	} else if (p->transport == IPPROTO_UDP) {
		if (bpf_skb_load_bytes(skb, offset, &th, UDP_HEADER))
			return false;
		header = UDP_HEADER;
	} else {
		return false;
	}
	p->source_port = bpf_ntohs(th.source_port);
	p->destination_port = bpf_ntohs(th.destination_port);
	p->headers = offset + header;
	if (skb->len > p->headers)
		p->payload = skb->len - p->headers;
	return true;
}

// bare_ack tells that a packet only moves the window: nothing in it is part of
// a conversation.
static __always_inline bool bare_ack(const struct packet *p)
{
	return p->transport == IPPROTO_TCP && !p->payload && !(p->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}
