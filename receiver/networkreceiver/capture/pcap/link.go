// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"encoding/binary"

	"github.com/gopacket/gopacket/layers"
)

// layer is a protocol that a frame may hold below TCP and UDP.
type layer uint8

const (
	unknownLayer layer = iota
	ethernet
	vlan
	llc
	linuxSLL
	linuxSLL2
	loopback
	mpls
	pppoe
	ppp
	hdlc
	radiotap
	wifi
	nflog
	ipPacket
	unknownPayload // of a tunnel: TCP may be in it
	gre
	erspanI
	erspanII
	erspanIII
	vxlan
	geneve
	gtp
	nsh
)

// Link types that gopacket does not name (https://www.tcpdump.org/linktypes.html).
const (
	linkTypeRawBSD     layers.LinkType = 12
	linkTypeRawOpenBSD layers.LinkType = 14
	linkTypeMPLS       layers.LinkType = 219
	linkTypeNFLOG      layers.LinkType = 239
	linkTypeLinuxSLL2  layers.LinkType = 276
)

// firstLayer is what a frame of a link type begins with.
func firstLayer(link layers.LinkType) layer {
	switch link {
	case layers.LinkTypeEthernet:
		return ethernet
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return loopback
	case layers.LinkTypeRaw, linkTypeRawBSD, linkTypeRawOpenBSD, layers.LinkTypeIPv4, layers.LinkTypeIPv6:
		return ipPacket
	case layers.LinkTypeLinuxSLL:
		return linuxSLL
	case linkTypeLinuxSLL2:
		return linuxSLL2
	case layers.LinkTypePPP, layers.LinkTypePPP_HDLC:
		return ppp
	case layers.LinkTypePPPEthernet:
		return pppoe
	case layers.LinkTypeC_HDLC:
		return hdlc
	case linkTypeMPLS:
		return mpls
	case layers.LinkTypeIEEE802_11:
		return wifi
	case layers.LinkTypeIEEE80211Radio:
		return radiotap
	case linkTypeNFLOG:
		return nflog
	default:
		return unknownLayer
	}
}

// byEtherType is what follows an EtherType. Below 0x600 it is a length, and LLC
// follows (IEEE 802.3, section 3.2.6).
func byEtherType(t uint16) layer {
	switch t {
	case 0x0800, 0x86dd:
		return ipPacket
	case 0x8100, 0x88a8, 0x9100, 0x9200:
		return vlan
	case 0x8847, 0x8848:
		return mpls
	case 0x8864:
		return pppoe
	case 0x6558:
		return ethernet // transparent bridging (RFC 1701)
	case 0x880b:
		return ppp
	case 0x88be:
		return erspanII
	case 0x22eb:
		return erspanIII
	case 0x894f:
		return nsh
	}
	if t < 0x600 {
		return llc
	}
	return unknownLayer
}

// skipLink goes past one header that is neither IP nor a tunnel's.
func (c *cursor) skipLink() error {
	switch c.next {
	case ethernet:
		return c.skipToEtherType(14, 12)
	case vlan:
		return c.skipVLAN()
	case llc:
		return c.skipLLC()
	case hdlc:
		return c.skipToEtherType(4, 2)
	case linuxSLL:
		return c.skipToEtherType(16, 14)
	case linuxSLL2:
		return c.skipToEtherType(20, 0)
	case loopback:
		return c.skipLoopback()
	case mpls:
		return c.skipMPLS()
	case pppoe:
		return c.skip(6, ppp)
	case ppp:
		return c.skipPPP()
	case nsh:
		return c.skipNSH()
	case radiotap:
		return c.skipRadiotap()
	case wifi:
		return c.skipWiFi()
	case nflog:
		return c.skipNFLOG()
	case unknownPayload:
		return errUnknownPayload
	default:
		return errNotIP
	}
}

// skipToEtherType goes past a header of n bytes with the EtherType at offset at.
func (c *cursor) skipToEtherType(n, at int) error {
	if len(c.b) < n {
		return c.short(n)
	}
	return c.skip(n, byEtherType(binary.BigEndian.Uint16(c.b[at:])))
}

// skipVLAN goes past an IEEE 802.1Q tag. VLAN 0 is a priority without a VLAN.
func (c *cursor) skipVLAN() error {
	if len(c.b) < 4 {
		return c.short(4)
	}
	if id := binary.BigEndian.Uint16(c.b) & 0x0fff; id != 0 && c.vlans {
		c.enter(uint32(id))
	}
	return c.skipToEtherType(4, 2)
}

// skipLLC goes past IEEE 802.2 with SNAP, the only one that carries IP.
func (c *cursor) skipLLC() error {
	if len(c.b) < 8 {
		return c.short(8)
	}
	if binary.BigEndian.Uint32(c.b) != 0xaaaa0300 {
		return errNotIP
	}
	return c.skipToEtherType(8, 6)
}

// skipLoopback goes past a BSD address family, in the byte order of the machine
// that wrote the file (null) or the network's (OpenBSD loop). IPv6 has a number
// of its own on each system.
func (c *cursor) skipLoopback() error {
	if len(c.b) < 4 {
		return c.short(4)
	}
	family := binary.BigEndian.Uint32(c.b)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(c.b)
	}
	switch family {
	case 2, 10, 24, 28, 30:
		return c.skip(4, ipPacket)
	}
	return errNotIP
}

// skipMPLS goes past a label stack (RFC 3032). What follows is not named: an IP
// version, or a pseudowire, which begins with a control word of zero (RFC 4385)
// if it has one. Labels differ per direction, so they are no scope.
func (c *cursor) skipMPLS() error {
	for {
		if len(c.b) < 4 {
			return c.short(4)
		}
		bottom := c.b[2]&1 != 0
		if err := c.skip(4, mpls); err != nil {
			return err
		}
		if bottom {
			break
		}
	}
	if len(c.b) == 0 {
		return c.short(1)
	}
	switch c.b[0] >> 4 {
	case 4, 6:
		c.next = ipPacket
		return nil
	case 0:
		return c.skip(4, ethernet)
	default:
		c.next = ethernet
		return nil
	}
}

// skipPPP goes past PPP in any of its framings: address and control may be there
// or not (RFC 1662), the protocol may be compressed to one byte.
func (c *cursor) skipPPP() error {
	if len(c.b) >= 2 && c.b[0] == 0xff && c.b[1] == 0x03 {
		if err := c.skip(2, ppp); err != nil {
			return err
		}
	}
	if len(c.b) < 2 {
		return c.short(2)
	}
	n, protocol := 2, binary.BigEndian.Uint16(c.b)
	if c.b[0]&1 != 0 {
		n, protocol = 1, uint16(c.b[0])
	}
	switch protocol {
	case 0x0021, 0x0057:
		return c.skip(n, ipPacket)
	case 0x0281:
		return c.skip(n, mpls)
	}
	return errNotIP
}

// skipNSH goes past a network service header (RFC 8300).
func (c *cursor) skipNSH() error {
	if len(c.b) < 8 {
		return c.short(8)
	}
	n := int(c.b[1]&0x3f) * 4
	if n < 8 {
		return errMalformed
	}
	return c.skip(n, byNextProtocol(c.b[3]))
}
