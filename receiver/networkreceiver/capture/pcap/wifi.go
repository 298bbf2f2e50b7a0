// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import "encoding/binary"

// Fields of radiotap (https://www.radiotap.org): bits of the presence mask, and of its
// flags.
const (
	radiotapTSFT     = 1 << 0
	radiotapFlags    = 1 << 1
	radiotapMore     = 1 << 31
	radiotapPadded   = 0x20 // the 802.11 header is padded to 4 bytes
	radiotapBadFCS   = 0x40
	maxRadiotapMasks = 8
)

// Bits of an IEEE 802.11 header (IEEE 802.11-2020, section 9.2.4): of the first and
// second byte of frame control, and of the QoS control field.
const (
	wifiTypeMask, wifiData = 0x0c, 0x08
	wifiNoData             = 0x40
	wifiQoS                = 0x80
	wifiFourAddresses      = 0x03 // from one access point to another
	wifiMoreFragments      = 0x04
	wifiProtected          = 0x40
	wifiHTControl          = 0x80
	wifiAggregated         = 0x80
)

// skipRadiotap goes past the radiotap header.
func (c *cursor) skipRadiotap() error {
	if len(c.b) < 8 {
		return c.short(8)
	}
	n := int(binary.LittleEndian.Uint16(c.b[2:]))
	if c.b[0] != 0 || n < 8 {
		return errMalformed
	}
	if len(c.b) < n {
		return c.short(n)
	}
	flags := radiotapFlagsOf(c.b[:n])
	if flags&radiotapBadFCS != 0 {
		return errMalformed
	}
	c.padded = flags&radiotapPadded != 0
	return c.skip(n, wifi)
}

// radiotapFlagsOf returns the flags in a radiotap header, or 0.
func radiotapFlagsOf(b []byte) byte {
	mask, at := binary.LittleEndian.Uint32(b[4:]), 8
	for m := mask; m&radiotapMore != 0; at += 4 {
		if at > 4*maxRadiotapMasks || at+4 > len(b) {
			return 0
		}
		m = binary.LittleEndian.Uint32(b[at:])
	}
	if mask&radiotapTSFT != 0 {
		at = (at+7)&^7 + 8
	}
	if mask&radiotapFlags == 0 || at >= len(b) {
		return 0
	}
	return b[at]
}

// skipWiFi goes past the header of an IEEE 802.11 data frame. What it carries is
// unknown where it is encrypted, a fragment or several frames.
func (c *cursor) skipWiFi() error {
	if len(c.b) < 24 {
		return c.short(24)
	}
	kind, flags := c.b[0], c.b[1]
	if kind&wifiTypeMask != wifiData || kind&wifiNoData != 0 {
		return errNotIP
	}
	if flags&(wifiProtected|wifiMoreFragments) != 0 || c.b[22]&0x0f != 0 {
		return errUnknownPayload
	}
	n := 24
	if flags&wifiFourAddresses == wifiFourAddresses {
		n += 6
	}
	if kind&wifiQoS != 0 {
		if len(c.b) < n+2 {
			return c.short(n + 2)
		}
		if c.b[n]&wifiAggregated != 0 {
			return errUnknownPayload
		}
		n += 2
		if flags&wifiHTControl != 0 {
			n += 4
		}
	}
	if c.padded {
		n = (n + 3) &^ 3
	}
	return c.skip(n, llc)
}
