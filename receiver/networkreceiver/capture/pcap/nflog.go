// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import "encoding/binary"

// NFLOG (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html): attributes of netlink, one
// of which is the packet.
const (
	nflogPayload    = 9  // NFULA_PAYLOAD
	maxNFLOGType    = 64 // Linux 6.18 has 21
	familyIPv4      = 2
	familyIPv6      = 10
	nflogHeaderLen  = 4
	nflogAttrHeader = 4
)

// skipNFLOG goes past the header and the attributes before the packet. These are in the
// byte order of the machine that captured.
func (c *cursor) skipNFLOG() error {
	if len(c.b) < nflogHeaderLen {
		return c.short(nflogHeaderLen)
	}
	if f := c.b[0]; f != familyIPv4 && f != familyIPv6 {
		return errNotIP
	}
	if c.b[1] != 0 {
		return errMalformed // a version that does not exist
	}
	if err := c.skip(nflogHeaderLen, nflog); err != nil {
		return err
	}
	for c.wire > 0 {
		if len(c.b) < nflogAttrHeader {
			return c.short(nflogAttrHeader)
		}
		n, kind := int(binary.LittleEndian.Uint16(c.b)), binary.LittleEndian.Uint16(c.b[2:])
		if kind > maxNFLOGType {
			n, kind = int(binary.BigEndian.Uint16(c.b)), binary.BigEndian.Uint16(c.b[2:])
		}
		if n < nflogAttrHeader || n > c.wire {
			return errMalformed
		}
		if kind == nflogPayload {
			c.trim(n)
			return c.skip(nflogAttrHeader, ipPacket)
		}
		if err := c.skip(min((n+3)&^3, c.wire), nflog); err != nil {
			return err
		}
	}
	return errNotIP
}
