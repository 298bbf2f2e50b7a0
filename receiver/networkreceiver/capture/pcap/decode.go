// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"errors"

	"github.com/gopacket/gopacket/layers"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"
)

// maxLayers bounds the headers before the transport's. Real traffic has about
// ten in the worst case.
const maxLayers = 32

// Why a frame gives no segment.
var (
	errNotIP       = packet.ErrNotTransport
	errMalformed   = packet.ErrMalformed
	errTruncated   = packet.ErrTruncated
	errUnsupported = errors.New("unsupported link type")
	// errUnknownPayload says that something is in the frame that can't be read: it may be TCP.
	errUnknownPayload = errors.New("unknown payload")
	// errFragment says that a fragment is held until its siblings come.
	errFragment = packet.ErrFragment
)

// decoder finds the transport segment in a frame.
type decoder struct {
	fragments fragments
	// vlans makes VLAN ids a part of the scope.
	vlans bool
}

// cursor is a position in a frame.
type cursor struct {
	b     []byte // captured, from here on
	wire  int    // bytes on the wire from here on
	next  layer
	scope uint32
	vlans bool
	// padded is set where an IEEE 802.11 header has padding behind it.
	padded bool
}

// decode finds the innermost TCP segment or UDP datagram in a frame of wireLen
// bytes whose beginning is b, and sets it and its Scope in seg.
func (d *decoder) decode(link layers.LinkType, b []byte, wireLen int, seg *capture.Segment) error {
	c := cursor{b: b, wire: wireLen, next: firstLayer(link), vlans: d.vlans}
	if c.next == unknownLayer {
		return errUnsupported
	}
	for range maxLayers {
		if c.next != ipPacket {
			if err := c.skipTunnel(); err != nil {
				return err
			}
			continue
		}
		done, err := d.ip(&c, seg)
		if done || err != nil {
			return err
		}
	}
	return errMalformed
}

// ip goes past one IP header, and is done if what follows is not a tunnel.
func (d *decoder) ip(c *cursor, seg *capture.Segment) (done bool, err error) {
	var h packet.Header
	if err := h.Decode(c.b); err != nil {
		if errors.Is(err, errTruncated) {
			err = c.short(len(c.b) + 1)
		}
		return true, err
	}
	c.trim(h.WireLen(c.wire))
	if h.Fragment {
		return false, d.fragments.add(c, &h, seg.Time)
	}
	if next := byIPProtocol(h.Protocol); next != unknownLayer {
		return false, c.skip(h.Len, next)
	}
	if err := h.DecodeTransport(c.b, c.wire, seg); err != nil {
		return true, err
	}
	seg.Scope = c.scope
	if seg.Transport == capture.UDP {
		if next := tunnelOf(seg); next != unknownLayer {
			c.b, c.wire, c.next = seg.Payload, seg.WireLen, next
			return false, nil
		}
	}
	return true, nil
}

// trim cuts what follows the first n bytes on the wire.
func (c *cursor) trim(n int) {
	c.wire = n
	c.b = c.b[:min(n, len(c.b))]
}

// skip goes past a header of n bytes.
func (c *cursor) skip(n int, next layer) error {
	if len(c.b) < n {
		return c.short(n)
	}
	c.b, c.wire, c.next = c.b[n:], c.wire-n, next
	return nil
}

// short is why there are less than n bytes: the capture cut them, or they were
// never there.
func (c *cursor) short(n int) error {
	if c.wire < n {
		return errMalformed
	}
	return errTruncated
}

// enter notes that what follows is in the network id, so that equal addresses in
// other networks are told apart. It is the same in both directions.
func (c *cursor) enter(id uint32) {
	c.scope = (c.scope ^ id) * 0x9e3779b1
	if c.scope == 0 {
		c.scope = 1
	}
}
