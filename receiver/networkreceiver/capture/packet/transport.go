// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import (
	"encoding/binary"
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// controlBits are the bits of capture.Flags in the TCP header.
const controlBits = capture.FIN | capture.SYN | capture.RST | capture.PSH | capture.ACK | capture.URG

// DecodeTransport decodes what follows the IP header in b, the beginning of a
// packet of wireLen bytes that h was decoded from. It sets the same of seg as
// DecodeIP.
func (h *Header) DecodeTransport(b []byte, wireLen int, seg *capture.Segment) error {
	if h.Fragment {
		return ErrFragment
	}
	// len(b) < h.Len: an extension header's tail was not captured.
	if wireLen < h.Len {
		return ErrMalformed
	}
	b = b[min(h.Len, len(b)):min(wireLen, len(b))]
	switch capture.Transport(h.Protocol) {
	case capture.TCP:
		return h.decodeTCP(b, wireLen-h.Len, seg)
	case capture.UDP:
		return h.decodeUDP(b, wireLen-h.Len, seg)
	default:
		return ErrNotTransport
	}
}

// decodeTCP decodes b, the beginning of a TCP segment of wireLen bytes. Options
// that were not captured are no error: only what follows them is missing.
func (h *Header) decodeTCP(b []byte, wireLen int, seg *capture.Segment) error {
	if wireLen < tcpHeaderLen {
		return ErrMalformed
	}
	if len(b) < tcpHeaderLen {
		return ErrTruncated
	}
	n := int(b[12]>>4) * 4
	if n < tcpHeaderLen || n > wireLen {
		return ErrMalformed
	}
	h.setPorts(b, seg)
	seg.Transport = capture.TCP
	seg.Seq = binary.BigEndian.Uint32(b[4:])
	seg.Ack = binary.BigEndian.Uint32(b[8:])
	seg.Flags = capture.Flags(b[13]) & controlBits
	seg.UrgentPointer = binary.BigEndian.Uint16(b[18:])
	seg.Payload = b[min(n, len(b)):]
	seg.WireLen = wireLen - n
	return nil
}

// decodeUDP decodes b, the beginning of a UDP datagram in wireLen bytes. The
// datagram ends where its own length says, unless that is zero (RFC 2675,
// section 4) or more than there is.
func (h *Header) decodeUDP(b []byte, wireLen int, seg *capture.Segment) error {
	if wireLen < udpHeaderLen {
		return ErrMalformed
	}
	if len(b) < udpHeaderLen {
		return ErrTruncated
	}
	if n := int(binary.BigEndian.Uint16(b[4:])); n != 0 {
		if n < udpHeaderLen {
			return ErrMalformed
		}
		wireLen = min(n, wireLen)
	}
	h.setPorts(b, seg)
	seg.Transport = capture.UDP
	seg.Seq, seg.Ack, seg.Flags, seg.UrgentPointer = 0, 0, 0, 0
	seg.Payload = b[udpHeaderLen:min(wireLen, len(b))]
	seg.WireLen = wireLen - udpHeaderLen
	return nil
}

func (h *Header) setPorts(b []byte, seg *capture.Segment) {
	seg.Source = netip.AddrPortFrom(h.Source, binary.BigEndian.Uint16(b))
	seg.Destination = netip.AddrPortFrom(h.Destination, binary.BigEndian.Uint16(b[2:]))
}
