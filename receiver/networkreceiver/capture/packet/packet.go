// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package packet decodes raw IP packets into transport segments. It belongs to
// stage 1 and is shared by its sources. It keeps nothing, allocates nothing and
// reads at most maxExtensions IPv6 extension headers.
//
// Checksums are not verified: with offload they are often not computed yet where
// a packet is captured.
package packet // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"

import (
	"errors"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Reasons why a packet gives no segment.
var (
	// ErrNotTransport says that the packet holds neither TCP nor UDP.
	ErrNotTransport = errors.New("neither TCP nor UDP")
	// ErrFragment says that the packet is a fragment and must be reassembled.
	ErrFragment = errors.New("IP fragment")
	// ErrTruncated says that so little was captured that a header is missing.
	ErrTruncated = errors.New("header truncated")
	// ErrMalformed says that a header contradicts itself or the packet.
	ErrMalformed = errors.New("malformed header")
)

// DecodeIP decodes b, the beginning of an IPv4 or IPv6 packet of wireLen bytes
// that holds TCP or UDP. It sets the addresses, the transport's fields, Payload
// (a part of b) and WireLen of seg, and leaves the others alone. On error seg is
// unchanged.
//
// The length in the IP header is not used: a packet captured above the network
// device may be larger than what the header can say (GSO, GRO, BIG TCP). Where b
// may end in padding use DecodePadded.
func DecodeIP(b []byte, wireLen int, seg *capture.Segment) error {
	var h Header
	if err := h.Decode(b); err != nil {
		return err
	}
	return h.DecodeTransport(b, wireLen, seg)
}

// DecodePadded is DecodeIP for a packet that fills the rest of a frame: frameLen
// is the length on the wire of all that follows the frame's header, padding
// included. The packet ends where its IP header says, but not after frameLen.
func DecodePadded(b []byte, frameLen int, seg *capture.Segment) error {
	var h Header
	if err := h.Decode(b); err != nil {
		return err
	}
	return h.DecodeTransport(b, h.WireLen(frameLen), seg)
}
