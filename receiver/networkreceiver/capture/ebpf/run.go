// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"
)

const tickInterval = 50 * time.Millisecond

// Kinds of records.
const (
	packetKind       = uint8(bpf.CaptureRecordKindRECORD_PACKET)
	ownerKind        = uint8(bpf.CaptureRecordKindRECORD_OWNER)
	peerKind         = uint8(bpf.CaptureRecordKindRECORD_PEER)
	peerCapturedKind = uint8(bpf.CaptureRecordKindRECORD_PEER_CAPTURED)
	plaintextKind    = uint8(bpf.CaptureRecordKindRECORD_PLAINTEXT)
	resetKind        = uint8(bpf.CaptureRecordKindRECORD_RESET)
)

const (
	packetHeadLen    = int(unsafe.Sizeof(bpf.CapturePacketRecord{}))
	plaintextHeadLen = int(unsafe.Sizeof(bpf.TLSPlaintextRecord{}))
	ownerLen         = int(unsafe.Sizeof(bpf.CaptureOwnerRecord{}))
	kindOffset       = unsafe.Offsetof(bpf.CapturePacketRecord{}.Kind)
)

// losses is how many reasons of loss the kernel counts.
const losses = bpf.CaptureLossLOSS_REASONS

// reader is one shard at work.
type reader struct {
	source  *Source
	ring    *ring
	shard   uint32
	handler capture.Handler
	local   capture.LocalHandler // nil if handler is none
	plain   capture.PlainHandler // nil if handler is none
	resets  capture.ResetHandler // nil if handler is none
	clock   *clock
	segment capture.Segment
	piece   capture.Plain
	ticked  int64 // Unix ns
	batch   uint64
	losses  *[losses]uint64 // as last reported

	packets, bytes uint64 // to be counted: all workers share the counters
}

// Run implements capture.Source. It returns nil when ctx ends, after it has
// handed over what was in the ring by then, or has counted it after Abandon.
func (s *Source) Run(ctx context.Context, shard int, h capture.Handler) error {
	r := &reader{
		source:  s,
		ring:    s.rings[shard],
		shard:   uint32(shard),
		handler: h,
		clock:   &s.clock,
		batch:   uint64(s.settings.ringBytes()) / ringParts,
		losses:  &s.losses[shard],
	}
	r.local, _ = h.(capture.LocalHandler)
	r.plain, _ = h.(capture.PlainHandler)
	r.resets, _ = h.(capture.ResetHandler)
	for empty := 0; ctx.Err() == nil; empty++ {
		if r.drain() {
			empty = 0
		}
		if r.ring.end()-r.ring.position >= r.batch {
			continue // the waker may have rung meanwhile
		}
		next := pause
		if empty >= calm {
			next = longPause
		}
		if err := r.ring.waker.wait(next); err != nil {
			return err
		}
	}
	r.drain()
	if s.abandoned.Load() {
		r.abandon()
	}
	r.tick(r.clock.now())
	return nil
}

// Abandon implements capture.Abandoner.
func (s *Source) Abandon() { s.abandoned.Store(true) }

// drain hands over what is in the ring now, and reports whether that was anything. What
// comes in the meantime is left for the next time, so that it ends. After Abandon
// it stops at the next record.
func (r *reader) drain() bool {
	now := r.clock.now()
	before, end := r.ring.position, r.ring.end()
	for r.ring.position < end && !r.source.abandoned.Load() {
		record := r.ring.next()
		if record == nil {
			break
		}
		r.take(record)
		if r.ring.unreleased() >= r.batch {
			r.release()
			now = r.clock.now()
			r.tickIfDue(now)
		}
	}
	r.release()
	r.tickIfDue(now)
	return r.ring.position != before
}

// abandon counts what is in the ring as lost, and gives it back to the kernel.
func (r *reader) abandon() {
	stats := r.source.stats
	packets := uint64(0)
	for end := r.ring.end(); r.ring.position < end; {
		b := r.ring.next()
		switch {
		case b == nil:
			end = r.ring.position
		case len(b) >= packetHeadLen && b[kindOffset] == packetKind:
			packets++
			stats.LostShutdownBytes.Add(uint64((*bpf.CapturePacketRecord)(unsafe.Pointer(&b[0])).Captured))
		case len(b) >= plaintextHeadLen && b[kindOffset] == plaintextKind:
			stats.LostPlainShutdown.Add(1)
			stats.LostPlainShutdownBytes.Add(uint64((*bpf.TLSPlaintextRecord)(unsafe.Pointer(&b[0])).Captured))
		}
	}
	r.ring.release()
	if packets > 0 {
		stats.LostShutdown.Add(packets)
		r.handler.Lost(packets, capture.LossShutdown)
	}
}

// release gives what was read back to the kernel, and counts it.
func (r *reader) release() {
	r.ring.release()
	if r.packets > 0 {
		r.source.stats.Packets.Add(r.packets)
		r.source.stats.Bytes.Add(r.bytes)
		r.packets, r.bytes = 0, 0
	}
}

func (r *reader) tickIfDue(now int64) {
	if d := now - r.ticked; d < 0 || d >= int64(tickInterval) {
		r.tick(now)
	}
}

// tick reports the losses first: they happened before now.
func (r *reader) tick(now int64) {
	r.ticked = now
	r.reportLosses()
	r.handler.Tick(now)
}

// take hands over one record. The kernel wrote it, so its layout is trusted, but
// its length is not: it is the difference between a mistake and a crash.
func (r *reader) take(b []byte) {
	switch {
	case len(b) >= packetHeadLen && b[kindOffset] == packetKind:
		r.takePacket((*bpf.CapturePacketRecord)(unsafe.Pointer(&b[0])), b[packetHeadLen:])
	case len(b) >= plaintextHeadLen && r.plain != nil && b[kindOffset] == plaintextKind:
		r.takePlaintext((*bpf.TLSPlaintextRecord)(unsafe.Pointer(&b[0])), b[plaintextHeadLen:])
	case len(b) >= ownerLen && b[kindOffset] == ownerKind:
		r.takeOwner((*bpf.CaptureOwnerRecord)(unsafe.Pointer(&b[0])))
	case len(b) >= ownerLen && r.local != nil && b[kindOffset] == peerKind:
		r.takePeer((*bpf.CaptureOwnerRecord)(unsafe.Pointer(&b[0])))
	case len(b) >= ownerLen && r.local != nil && b[kindOffset] == peerCapturedKind:
		r.takeLeft((*bpf.CaptureOwnerRecord)(unsafe.Pointer(&b[0])))
	case len(b) >= ownerLen && b[kindOffset] == resetKind:
		r.takeReset((*bpf.CaptureOwnerRecord)(unsafe.Pointer(&b[0])))
	default:
		r.malformed()
	}
}

func (r *reader) takePacket(head *bpf.CapturePacketRecord, b []byte) {
	stats := r.source.stats
	r.packets++
	r.bytes += uint64(head.Captured)
	switch {
	case head.Trimmed != 0:
		stats.Trimmed.Add(1)
	case head.Captured < head.WireLen:
		stats.TruncatedPacket.Add(1)
	}
	seg := &r.segment
	if int(head.Captured) > len(b) || packet.DecodeIP(b[:head.Captured], int(head.WireLen), seg) != nil {
		r.malformed()
		return
	}
	seg.Time = r.clock.unix(head.Time)
	seg.Socket = head.Socket
	seg.Cgroup = head.Cgroup
	seg.NetNS = head.Netns
	seg.Direction = capture.Direction(head.Direction)
	seg.Listener = head.Listener != 0
	r.handler.Segment(seg)
}

func (r *reader) takeOwner(o *bpf.CaptureOwnerRecord) {
	r.source.stats.Owners.Add(1)
	r.handler.Owner(o.Socket, r.source.processes.get(&o.Owner))
}

func (r *reader) takePeer(o *bpf.CaptureOwnerRecord) {
	r.source.stats.Peers.Add(1)
	r.local.Peer(o.Socket, r.source.processes.get(&o.Owner))
}

func (r *reader) takeLeft(o *bpf.CaptureOwnerRecord) {
	r.source.stats.Left.Add(1)
	r.local.Leave(o.Socket)
}

func (r *reader) takeReset(o *bpf.CaptureOwnerRecord) {
	r.source.stats.Resets.Add(1)
	if r.resets == nil {
		return
	}
	r.resets.Reset(o.Socket, r.clock.unix(o.Time))
}

func (r *reader) malformed() {
	r.source.stats.LostMalformed.Add(1)
	r.handler.Lost(1, capture.LossMalformed)
}

// reportLosses hands over by how much the kernel's counters grew.
func (r *reader) reportLosses() {
	var l bpf.CaptureLosses
	if r.source.objects.Lost.Lookup(r.shard, &l) != nil {
		return // read again next time: the counters only grow
	}
	stats := r.source.stats
	for i, reason := range [losses]struct {
		of    capture.LossReason
		plain bool
		count *atomic.Uint64
	}{
		bpf.CaptureLossLOSS_RING_FULL:             {capture.LossRingFull, false, &stats.LostRingFull},
		bpf.CaptureLossLOSS_COPY_FAILED:           {capture.LossCopyFailed, false, &stats.LostCopyFailed},
		bpf.CaptureLossLOSS_PLAINTEXT_RING_FULL:   {capture.LossRingFull, true, &stats.LostPlainRingFull},
		bpf.CaptureLossLOSS_PLAINTEXT_COPY_FAILED: {capture.LossCopyFailed, true, &stats.LostPlainCopyFailed},
	} {
		n := l.Count[i] - r.losses[i]
		if n == 0 {
			continue
		}
		r.losses[i] = l.Count[i]
		reason.count.Add(n)
		if !reason.plain { // a jump of the offset tells of the others
			r.handler.Lost(n, reason.of)
		}
	}
}
