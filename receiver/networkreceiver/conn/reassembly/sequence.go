// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package reassembly puts the segments of one direction of a TCP connection in
// order. It knows neither connections nor clocks: it takes segments, holds those
// that came early, and gives contiguous bytes or gaps of exact size.
package reassembly // import "github.com/wirespan/wirespan/receiver/networkreceiver/conn/reassembly"

// Distance is how far b lies after a in sequence space; it is negative if b lies
// before a (RFC 9293, section 3.4).
func Distance(a, b uint32) int { return int(int32(b - a)) }
