// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// IP protocols that carry packets (IANA).
const (
	protocolIPv4 = 4
	protocolIPv6 = 41
	protocolGRE  = 47
	protocolMPLS = 137
)

// UDP destination ports of tunnels (IANA; 8472 is what Linux used for VXLAN
// before the registration).
const (
	portVXLAN      = 4789
	portVXLANLinux = 8472
	portVXLANGPE   = 4790
	portGeneve     = 6081
)

// vxlanNamesProtocol is the flag P of VXLAN-GPE.
const vxlanNamesProtocol = 0x04

// byIPProtocol is what follows an IP header, as far as it is a tunnel.
func byIPProtocol(protocol uint8) layer {
	switch protocol {
	case protocolIPv4, protocolIPv6:
		return ipPacket
	case protocolGRE:
		return gre
	case protocolMPLS:
		return mpls
	default:
		return unknownLayer
	}
}

// skipTunnel goes past one tunnel header.
func (c *cursor) skipTunnel() error {
	switch c.next {
	case gre:
		return c.skipGRE()
	case erspanI:
		return c.skip(0, ethernet)
	case erspanII:
		return c.skip(8, ethernet)
	case erspanIII:
		return c.skipERSPANIII()
	case vxlan:
		return c.skipVXLAN()
	case geneve:
		return c.skipGeneve()
	case gtp:
		n, ok := gtpHeaderLen(c.b)
		if !ok {
			return errMalformed
		}
		return c.skip(n, ipPacket)
	default:
		return c.skipLink()
	}
}

// skipGRE goes past GRE (RFC 2784, 2890) and enhanced GRE (RFC 2637). A key is no
// scope: some use it to tell directions or flows apart.
func (c *cursor) skipGRE() error {
	if len(c.b) < 4 {
		return c.short(4)
	}
	flags, protocol := binary.BigEndian.Uint16(c.b), binary.BigEndian.Uint16(c.b[2:])
	if flags&0x4000 != 0 {
		return errMalformed // source routes (RFC 1701) are obsolete
	}
	n := 4
	for _, bit := range [...]uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence number
		if flags&bit != 0 {
			n += 4
		}
	}
	if flags&7 == 1 && flags&0x80 != 0 {
		n += 4 // acknowledgment number
	}
	next := carried(byEtherType(protocol))
	if next == erspanII && flags&0x1000 == 0 {
		next = erspanI // type I has no header, and no sequence number says so
	}
	return c.skip(n, next)
}

// carried is what a tunnel carries. It may be TCP also where it is not known.
func carried(next layer) layer {
	if next == unknownLayer {
		return unknownPayload
	}
	return next
}

// skipERSPANIII goes past ERSPAN type III (draft-foschiano-erspan-03, section
// 4.3). What it carries is Ethernet or IP.
func (c *cursor) skipERSPANIII() error {
	if len(c.b) < 12 {
		return c.short(12)
	}
	n, tail := 12, binary.BigEndian.Uint16(c.b[10:])
	if tail&1 != 0 {
		n += 8 // platform specific sub-header
	}
	if tail>>10&0x1f == 2 {
		return c.skip(n, ipPacket)
	}
	return c.skip(n, ethernet)
}

// skipVXLAN goes past VXLAN (RFC 7348) or its generic extension, which names what
// it carries (draft-ietf-nvo3-vxlan-gpe, section 3). The bit that says so is reserved in
// VXLAN, so that its receivers ignore it.
func (c *cursor) skipVXLAN() error {
	if len(c.b) < 8 {
		return c.short(8)
	}
	c.enterVNI()
	if c.b[0]&vxlanNamesProtocol == 0 || looksLike(ethernet, c.b[8:]) {
		return c.skip(8, ethernet)
	}
	return c.skip(8, byNextProtocol(c.b[3]))
}

// looksLike reports whether b begins with an Ethernet frame or an IP packet, as far as few
// bytes tell.
func looksLike(l layer, b []byte) bool {
	switch {
	case l == ipPacket:
		return len(b) >= 20 && (b[0]>>4 == 4 && b[0]&0x0f >= 5 || b[0]>>4 == 6)
	case l != ethernet || len(b) < 14:
		return false
	}
	t := binary.BigEndian.Uint16(b[12:])
	for b = b[14:]; byEtherType(t) == vlan && len(b) >= 4; b = b[4:] {
		t = binary.BigEndian.Uint16(b[2:])
	}
	switch t {
	case 0x0800:
		return looksLike(ipPacket, b) && b[0]>>4 == 4
	case 0x86dd:
		return looksLike(ipPacket, b) && b[0]>>4 == 6
	case 0x0806: // ARP
		return len(b) >= 8 && binary.BigEndian.Uint32(b[:4]) == 0x00010800
	}
	return false
}

// byNextProtocol is what follows VXLAN-GPE or NSH.
func byNextProtocol(p byte) layer {
	switch p {
	case 1, 2:
		return ipPacket
	case 3:
		return ethernet
	case 4:
		return nsh
	case 5:
		return mpls
	default:
		return unknownPayload
	}
}

// skipGeneve goes past Geneve with its options (RFC 8926).
func (c *cursor) skipGeneve() error {
	if len(c.b) < 8 {
		return c.short(8)
	}
	c.enterVNI()
	n, protocol := 8+int(c.b[0]&0x3f)*4, binary.BigEndian.Uint16(c.b[2:])
	return c.skip(n, carried(byEtherType(protocol)))
}

// enterVNI enters the network that VXLAN and Geneve name at the same place.
func (c *cursor) enterVNI() {
	if vni := binary.BigEndian.Uint32(c.b[4:]) >> 8; vni != 0 {
		c.enter(vni | 1<<24) // not a VLAN id
	}
}

// tunnelOf is the tunnel that a UDP datagram carries. The port must fit, and what
// the header must say: a client may use such a port by chance.
func tunnelOf(seg *capture.Segment) layer {
	b := seg.Payload
	if len(b) < 8 {
		return unknownLayer
	}
	switch seg.Destination.Port() {
	case portVXLAN, portVXLANGPE, portVXLANLinux:
		if isVXLAN(b) && seg.WireLen >= 8+20 {
			return vxlan
		}
	case portGeneve:
		if isGeneve(b) {
			return geneve
		}
	default:
		if isGTP(b, seg.WireLen) {
			return gtp
		}
	}
	return unknownLayer
}

// isVXLAN reports whether b begins with a VXLAN header: the flag I is set. Receivers must
// ignore what is reserved (RFC 7348, section 5), but where it is set what is inside has to
// be what a tunnel carries.
func isVXLAN(b []byte) bool {
	return b[0]&0x78 == 0x08 && b[7] == 0 || b[0]&0x08 != 0 && looksLike(ethernet, b[8:])
}

// isGeneve reports the same of a Geneve header (RFC 8926, section 3.4).
func isGeneve(b []byte) bool {
	next := byEtherType(binary.BigEndian.Uint16(b[2:]))
	if b[0]>>6 != 0 || next == unknownLayer {
		return false
	}
	n := 8 + int(b[0]&0x3f)*4
	return b[1]&0x3f == 0 && b[7] == 0 || len(b) > n && looksLike(next, b[n:])
}

// isGTP tells whether a datagram of wireLen bytes that begins with b is a G-PDU of
// GTP-U (3GPP TS 29.281). It asks for so much agreement, the packet inside
// included, that the port need not be asked: it is often not the registered 2152.
func isGTP(b []byte, wireLen int) bool {
	const gpdu = 255
	if b[0]>>4 != 0x3 || b[1] != gpdu || int(binary.BigEndian.Uint16(b[2:])) != wireLen-8 {
		return false
	}
	n, ok := gtpHeaderLen(b)
	if !ok || len(b) < n+20 {
		return false
	}
	inner, left := b[n:], wireLen-n
	switch inner[0] >> 4 {
	case 4:
		return int(binary.BigEndian.Uint16(inner[2:])) == left
	case 6:
		return int(binary.BigEndian.Uint16(inner[4:]))+40 == left
	}
	return false
}

// gtpHeaderLen is the length of a GTP-U header with its extension headers.
func gtpHeaderLen(b []byte) (n int, ok bool) {
	const maxExtensions = 8
	if len(b) < 8 {
		return 0, false
	}
	if b[0]&0x07 == 0 {
		return 8, true
	}
	n = 12
	if b[0]&0x04 == 0 {
		return n, len(b) >= n
	}
	for range maxExtensions {
		if len(b) < n {
			return 0, false
		}
		if b[n-1] == 0 {
			return n, true
		}
		if len(b) <= n || b[n] == 0 {
			return 0, false
		}
		n += int(b[n]) * 4
	}
	return 0, false
}
