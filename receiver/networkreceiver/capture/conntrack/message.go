// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conntrack

import (
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Layout of netlink messages (netlink(7)) and of those of ctnetlink
// (linux/netfilter/nfnetlink_conntrack.h). Headers are in the machine's byte order,
// addresses and ports in the network's.
const (
	headerSize  = 16     // nlmsghdr
	familySize  = 4      // nfgenmsg
	messageNew  = 1 << 8 // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
	messageGet  = 1<<8 | 1
	messageErr  = 2
	messageDone = 3

	typeMask = 0x3fff // without NLA_F_NESTED and NLA_F_NET_BYTEORDER

	tupleOrig  = 1 // CTA_TUPLE_ORIG
	tupleReply = 2 // CTA_TUPLE_REPLY

	tupleIP    = 1 // CTA_TUPLE_IP
	tupleProto = 2 // CTA_TUPLE_PROTO

	ip4Source, ip4Destination = 1, 2 // CTA_IP_V4_SRC, CTA_IP_V4_DST
	ip6Source, ip6Destination = 3, 4 // CTA_IP_V6_SRC, CTA_IP_V6_DST

	protoNumber                   = 1 // CTA_PROTO_NUM
	protoSource, protoDestination = 2, 3
)

// kind is what a netlink message is about.
type kind uint8

const (
	kindOther kind = iota
	kindTracked
	kindDone
	kindError
	kindMalformed
)

// next takes the first message off b, into c where it tells of a connection.
func next(b []byte, c *tracked) (k kind, rest []byte) {
	if len(b) < headerSize {
		return kindMalformed, nil
	}
	length := int(binary.NativeEndian.Uint32(b))
	if length < headerSize || length > len(b) {
		return kindMalformed, nil
	}
	rest = b[min(align(length), len(b)):]
	switch binary.NativeEndian.Uint16(b[4:]) {
	case messageDone:
		return kindDone, rest
	case messageErr:
		return kindError, rest
	case messageNew:
	default:
		return kindOther, rest
	}
	if length < headerSize+familySize {
		return kindMalformed, rest
	}
	*c = tracked{}
	var forward, reply tuple
	ok := attributes(b[headerSize+familySize:length], func(of uint16, value []byte) bool {
		switch of {
		case tupleOrig:
			return forward.read(value)
		case tupleReply:
			return reply.read(value)
		}
		return true
	})
	switch {
	case !ok:
		return kindMalformed, rest
	case forward.transport != capture.TCP && forward.transport != capture.UDP || !forward.whole() || !reply.whole():
		return kindOther, rest
	}
	*c = tracked{forward.transport, forward.source, forward.destination, reply.source, reply.destination}
	return kindTracked, rest
}

// tuple is the packets of one direction.
type tuple struct {
	source, destination endpoint
	transport           capture.Transport
	addresses           int
}

func (t *tuple) whole() bool { return t.addresses == 2 }

func (t *tuple) read(b []byte) bool {
	return attributes(b, func(of uint16, value []byte) bool {
		switch of {
		case tupleIP:
			return attributes(value, t.readAddress)
		case tupleProto:
			return attributes(value, t.readPort)
		}
		return true
	})
}

func (t *tuple) readAddress(of uint16, value []byte) bool {
	to, size := &t.source, 4
	switch of {
	case ip4Source:
	case ip4Destination:
		to = &t.destination
	case ip6Source:
		size = 16
	case ip6Destination:
		to, size = &t.destination, 16
	default:
		return true
	}
	if len(value) != size {
		return false
	}
	if size == 4 { // in IPv6's form, as netip.Addr.As16 gives it
		to.addr[10], to.addr[11] = 0xff, 0xff
	}
	copy(to.addr[16-size:], value)
	t.addresses++
	return true
}

func (t *tuple) readPort(of uint16, value []byte) bool {
	switch {
	case of == protoNumber && len(value) == 1:
		t.transport = capture.Transport(value[0])
	case of == protoSource && len(value) == 2:
		t.source.port = binary.BigEndian.Uint16(value)
	case of == protoDestination && len(value) == 2:
		t.destination.port = binary.BigEndian.Uint16(value)
	case of <= protoDestination:
		return false
	}
	return true
}

// attributes calls each with the attributes in b until it reports false.
func attributes(b []byte, each func(of uint16, value []byte) bool) bool {
	const header = 4
	for len(b) >= header {
		length := int(binary.NativeEndian.Uint16(b))
		if length < header || length > len(b) {
			return false
		}
		if !each(binary.NativeEndian.Uint16(b[2:])&typeMask, b[header:length]) {
			return false
		}
		b = b[min(align(length), len(b)):]
	}
	return len(b) == 0
}

// align is the next multiple of 4, at which netlink's messages and attributes begin.
func align(n int) int { return (n + 3) &^ 3 }

// dumpRequest asks for all connections of all address families.
func dumpRequest() []byte {
	const request, dump = 0x1, 0x300 // NLM_F_REQUEST, NLM_F_DUMP
	b := make([]byte, headerSize+familySize)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], messageGet)
	binary.NativeEndian.PutUint16(b[6:], request|dump)
	return b
}
