// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"net/netip"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// tick is how much capture time passes between two calls of Handler.Tick while
// frames come. A longer pause between two frames is one call.
const tick = int64(100 * time.Millisecond)

// reader delivers segments to the shards of their connections.
type reader struct {
	shards []capture.Handler
	stats  *Stats

	decoder decoder
	twice   translations
	seg     capture.Segment
	now     int64 // time of the last frame that had one
	ticked  int64
}

func newReader(s *Source, shards ...capture.Handler) *reader {
	r := &reader{shards: shards, stats: s.stats}
	r.decoder.vlans = !s.settings.IgnoreVLAN
	return r
}

// frame decodes one frame and delivers its segment. It is false if the frame's
// link type is not supported.
func (r *reader) frame(fr *frame) bool {
	if fr.time != 0 {
		r.now = fr.time
	}
	// Time steps back where the next file begins before the end of the last one.
	if d := r.now - r.ticked; d >= tick || d <= -tick {
		r.tick()
	}
	r.seg = capture.Segment{Time: r.now}
	err := r.decoder.decode(fr.link, fr.data, fr.wireLen, &r.seg)
	r.count(fr, err)
	switch {
	case err != nil:
	case r.twice.copied(&r.seg):
		r.stats.Translated.Add(1)
	default:
		r.shards[shardOf(&r.seg, len(r.shards))].Segment(&r.seg)
	}
	return !errors.Is(err, errUnsupported)
}

func (r *reader) tick() {
	r.ticked = r.now
	r.decoder.fragments.expire(r.now)
	r.lostFragments()
	for _, h := range r.shards {
		h.Tick(r.now)
	}
}

// end gives up what is not complete.
func (r *reader) end() {
	r.decoder.fragments.flush()
	r.lostFragments()
}

// count counts one frame. What can't be decoded belongs to no shard, and the first
// one reports it.
func (r *reader) count(fr *frame, err error) {
	r.stats.Packets.Add(1)
	r.stats.Bytes.Add(uint64(len(fr.data)))
	switch {
	case err == nil:
		r.stats.Segments.Add(1)
	case errors.Is(err, errNotIP):
		r.stats.NotTransport.Add(1)
	case errors.Is(err, errFragment):
		r.stats.Fragments.Add(1)
	case errors.Is(err, errUnknownPayload):
		r.stats.UnknownPayload.Add(1)
	case errors.Is(err, errUnsupported):
		r.stats.Unsupported.Add(1)
	case errors.Is(err, errTruncated):
		r.stats.Truncated.Add(1)
		r.shards[0].Lost(1, capture.LossMalformed)
	default:
		r.stats.Malformed.Add(1)
		r.shards[0].Lost(1, capture.LossMalformed)
	}
}

func (r *reader) lostFragments() {
	if n := r.decoder.fragments.takeLost(); n != 0 {
		r.stats.LostFragment.Add(n)
		r.shards[0].Lost(n, capture.LossFragment)
	}
}

// shardOf is the shard of a segment's connection, the same for both directions. It
// leaves out the scope, so that nothing but the connection decides.
func shardOf(seg *capture.Segment, shards int) int {
	if shards == 1 {
		return 0
	}
	h := mix(endpoint(seg.Source) + endpoint(seg.Destination) + uint64(seg.Transport))
	hi, _ := bits.Mul64(h, uint64(shards))
	return int(hi)
}

func endpoint(a netip.AddrPort) uint64 {
	b := a.Addr().As16()
	return mix(mix(binary.BigEndian.Uint64(b[:8])+uint64(a.Port())) ^ binary.BigEndian.Uint64(b[8:]))
}

// mix spreads each bit of x over all (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
