// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"net/netip"
	"testing"
	"time"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// FuzzTable feeds any sequence of segments, owners, losses, times and bytes that are
// not needed. The recorder checks the contract of Sink; limits must hold, and nothing
// may stay behind, in the capture neither.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 0, 0, 0, 1, 18, 0, 1, 0, 0, 0, 24, 1, 1, 9, 0, 1, 17, 1, 10, 0, 2, 0, 0, 0, 0, 0})
	f.Add([]byte{4, 0, 2, 0, 0, 0, 5, 0, 18, 0, 1, 0, 4, 0, 24, 1, 1, 9, 3, 1, 24, 1, 10, 40, 7, 1, 0, 0, 0, 0})
	f.Add([]byte{8, 1, 0, 0, 0, 9, 9, 1, 0, 0, 0, 9, 10, 7, 0, 0, 0, 0})
	f.Add([]byte{4, 0, 2, 99, 0, 1, 4, 1, 18, 99, 0, 1, 4, 0, 24, 100, 64, 1, 11, 0, 0, 200, 4, 1, 4, 0, 24, 164, 64, 1, 4, 0, 17, 228, 0, 1})
	f.Add([]byte{0, 1, 2, 0, 0, 0, 4, 1, 18, 0, 1, 0, 0, 1, 24, 1, 1, 9, 12, 1, 0, 1, 0, 1, 4, 1, 17, 1, 10, 0, 0, 1, 17, 10, 2, 0, 12, 1, 1, 1, 0, 1, 13, 0, 0, 0, 0, 255})
	for _, segments := range seed.Segments(f) {
		f.Add(scriptOf(segments, 0))
		f.Add(scriptOf(segments, 4))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		settings := Settings{
			MaxConnections: 3, MaxHeldBytes: 200, MaxHeldSegments: 4, MaxPending: 3,
			MaxClosed: 2, MaxOwners: 2, OwnPID: 2,
		}
		trims := trimming{}
		settings.Trimmer = trims
		sink, stats, mem := newRecorder(t), &Stats{}, budget.New(16<<10)
		sink.quiet = true
		table := NewTable(settings, mem, sink, stats)
		now := someTime
		for len(script) >= 6 {
			op := [6]byte(script)
			script = script[6:]
			now += int64(op[5]) * int64(time.Millisecond)
			switch op[0] % 16 {
			case 11:
				if c := sink.anyOpen(int(op[1])); c != nil {
					d := Dir(op[2] & 1)
					c.Spare(d, sink.conns[c].next[d]+uint64(op[3])<<(op[4]%40))
				}
			case 12:
				if op[3]&1 != 0 {
					table.Plain(&capture.Plain{Time: now, Socket: uint64(op[1] % 3), Direction: capture.Direction(1 + op[2]&1), Payload: []byte("x")})
					break
				}
				table.Owner(uint64(op[1]%3), &capture.Process{PID: int32(op[2] % 3)})
			case 13:
				table.Tick(now)
			case 14:
				now += int64(op[1]) * int64(4*time.Second)
				table.Tick(now)
			case 15:
				table.Lost(1, capture.LossRingFull)
			default:
				seg := fuzzSegment(op, now)
				trims.leaveOut(&seg)
				table.Segment(&seg)
				clear(seg.Payload)
			}
			if stats.Open.Load() > 3 || stats.Pending.Load() > 3 || mem.Used() > mem.Limit() ||
				len(table.closedLive.byKey) > 2 || len(table.closedFile.byKey) > 2 || len(table.owners.bySocket) > 2 {
				t.Fatal("a limit was passed")
			}
		}
		table.Shutdown(now)
		for _, r := range sink.conns {
			if !r.closed {
				t.Fatal("not closed")
			}
		}
		if mem.Used() != 0 || stats.Open.Load() != 0 || stats.HalfOpen.Load() != 0 || stats.Pending.Load() != 0 {
			t.Fatal("something is left in the accounts")
		}
		if len(table.sockets)+len(table.flows)+len(table.datagrams)+len(table.users)+len(table.wires)+len(table.handshakes.byRemote) != 0 {
			t.Fatal("something is left in the maps")
		}
		if table.holes.len+table.soon.len+table.owed.len+table.connections() != 0 {
			t.Fatal("something is left in the queues")
		}
		if len(trims) != 0 {
			t.Fatal("the capture still leaves something out")
		}
	})
}

// anyOpen is one of the connections that are open, or nil.
func (r *recorder) anyOpen(n int) *Conn {
	for i := range r.opened {
		if c := r.opened[(i+n)%len(r.opened)]; !r.conns[c].closed {
			return c
		}
	}
	return nil
}

// trimming is a capture that leaves out what it is told to.
type trimming map[trimmed]uint32

type trimmed struct {
	socket    uint64
	direction capture.Direction
}

func (s trimming) Trim(socket uint64, d capture.Direction, until uint32) {
	s[trimmed{socket, d}] = until
}

func (s trimming) Untrim(socket uint64, d capture.Direction) { delete(s, trimmed{socket, d}) }

func (s trimming) leaveOut(seg *capture.Segment) {
	until, ok := s[trimmed{seg.Socket, seg.Direction}]
	if ok && seg.Transport == capture.TCP && int32(until-seg.Seq)-int32(seg.WireLen) >= 0 {
		seg.Payload = nil
	}
}

// scriptOf makes steps of captured segments, for a source of some kind. What does
// not fit into a byte becomes other segments of the same shape.
func scriptOf(segments []seed.Segment, kind byte) (script []byte) {
	for _, s := range segments {
		direction := byte(0)
		if s.Back {
			direction = 1
		}
		script = append(script, kind, direction, s.Flags, byte(s.Seq+100), byte(min(s.Len, 192)), byte(min(s.Since.Milliseconds(), 255)))
	}
	return script
}

// fuzzSegment makes a segment of few hosts, sockets and sequence numbers, so that
// they meet.
func fuzzSegment(op [6]byte, now int64) capture.Segment {
	a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 40000+uint16(op[0]>>6))
	b := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, op[0] >> 7}), 80)
	seg := capture.Segment{
		Time: now, Transport: capture.TCP, Source: a, Destination: b,
		Flags: capture.Flags(op[2] & 31), WireLen: int(op[4]),
		Seq: uint32(op[3]) - 100, Ack: uint32(op[3]>>4) - 50,
	}
	seg.Payload = make([]byte, op[4]-op[4]%64)
	switch op[2] >> 5 {
	case 1:
		seg.Transport = capture.UDP
	case 2:
		seg.Seq += 1 << 31
	case 3:
		seg.Seq += 100 << 20
	}
	seg.Direction = capture.Direction(1 + op[1]&1)
	if seg.Direction == capture.Ingress {
		seg.Source, seg.Destination = b, a
	}
	if op[0]%16 < 4 {
		return seg // in a capture file
	}
	seg.Socket = uint64(1 + op[1]>>1&1)
	if op[1]&4 != 0 {
		seg.Source, seg.Destination = seg.Destination, seg.Source // the other end
	}
	seg.Listener = op[1]&24 == 24
	return seg
}
