// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"
	"net/netip"
)

// maxExtensions bounds the chain of IPv6 extension headers. RFC 8200, section
// 4.1, knows seven that may precede the upper layer.
const maxExtensions = 8

// Lengths of fixed headers (RFC 791, 8200, 9293, 768).
const (
	ipv4HeaderLen = 20
	ipv6HeaderLen = 40
	tcpHeaderLen  = 20
	udpHeaderLen  = 8
)

// IPv6 extension headers (IANA protocol numbers).
const (
	hopByHop           = 0
	routing            = 43
	fragment           = 44
	authentication     = 51
	destinationOptions = 60
	mobility           = 135
	hostIdentity       = 139
	shim6              = 140
)

// Header is what the IPv4 or IPv6 header of a packet says, extension headers
// included.
type Header struct {
	Source      netip.Addr
	Destination netip.Addr
	Protocol    uint8 // what follows the header (IANA protocol number)
	Len         int   // of the header with options and extension headers, bytes
	PacketLen   int   // of the whole packet, bytes; 0 where the header leaves it open

	Fragment       bool   // the packet is a part of a datagram
	ID             uint32 // of the datagram; set for a fragment only
	FragmentOffset int    // of what follows the header, bytes
	MoreFragments  bool
}

// Decode reads the header at the beginning of b. For an IPv6 fragment it stops
// behind the fragment header: the rest of the chain is in the datagram.
func (h *Header) Decode(b []byte) error {
	if len(b) == 0 {
		return ErrTruncated
	}
	switch b[0] >> 4 {
	case 4:
		return h.decodeIPv4(b)
	case 6:
		return h.decodeIPv6(b)
	default:
		return ErrMalformed
	}
}

// WireLen is the length of the packet on the wire, if it begins a space of limit
// bytes. A packet whose header leaves the length open fills the space.
func (h *Header) WireLen(limit int) int {
	if h.PacketLen == 0 {
		return limit
	}
	return min(h.PacketLen, limit)
}

func (h *Header) decodeIPv4(b []byte) error {
	if len(b) < ipv4HeaderLen {
		return ErrTruncated
	}
	n := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if n < ipv4HeaderLen || total != 0 && total < n {
		return ErrMalformed
	}
	if len(b) < n {
		return ErrTruncated
	}
	*h = Header{
		Source:      netip.AddrFrom4([4]byte(b[12:16])),
		Destination: netip.AddrFrom4([4]byte(b[16:20])),
		Protocol:    b[9],
		Len:         n,
		PacketLen:   total,
	}
	if f := binary.BigEndian.Uint16(b[6:]); f&0x3fff != 0 {
		h.setFragment(uint32(binary.BigEndian.Uint16(b[4:])), int(f&0x1fff)*8, f&0x2000 != 0)
	}
	return nil
}

func (h *Header) decodeIPv6(b []byte) error {
	if len(b) < ipv6HeaderLen {
		return ErrTruncated
	}
	*h = Header{
		Source:      netip.AddrFrom16([16]byte(b[8:24])),
		Destination: netip.AddrFrom16([16]byte(b[24:40])),
		Protocol:    b[6],
		Len:         ipv6HeaderLen,
	}
	// Zero is a jumbogram (RFC 2675), or a packet larger than the field.
	if n := int(binary.BigEndian.Uint16(b[4:])); n != 0 {
		h.PacketLen = ipv6HeaderLen + n
	}
	return h.decodeExtensions(b)
}

// decodeExtensions follows the chain of extension headers in b from h.Len on.
func (h *Header) decodeExtensions(b []byte) error {
	for range maxExtensions {
		kind := h.Protocol
		if !isExtension(kind) {
			return nil
		}
		if len(b) < h.Len+8 {
			return ErrTruncated
		}
		x := b[h.Len:]
		h.Protocol = x[0]
		h.Len += extensionLen(kind, x)
		if h.PacketLen != 0 && h.Len > h.PacketLen {
			return ErrMalformed
		}
		if kind != fragment {
			continue
		}
		// Offset zero and nothing to come is an atomic fragment (RFC 6946): a
		// whole datagram.
		if f := binary.BigEndian.Uint16(x[2:]); f&0xfff9 != 0 {
			h.setFragment(binary.BigEndian.Uint32(x[4:]), int(f&0xfff8), f&1 != 0)
			return nil
		}
	}
	return ErrMalformed
}

func isExtension(protocol uint8) bool {
	switch protocol {
	case hopByHop, routing, fragment, authentication, destinationOptions, mobility, hostIdentity, shim6:
		return true
	}
	return false
}

// extensionLen is the length of an extension header that begins with x.
func extensionLen(protocol uint8, x []byte) int {
	switch protocol {
	case fragment:
		return 8
	case authentication:
		return (int(x[1]) + 2) * 4 // RFC 4302, section 2.2
	default:
		return (int(x[1]) + 1) * 8 // RFC 8200, section 4
	}
}

func (h *Header) setFragment(id uint32, offset int, more bool) {
	h.Fragment, h.ID, h.FragmentOffset, h.MoreFragments = true, id, offset, more
}
