// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

const fuzzedRing = 1 << 16

// FuzzRing reads records of any content from a ring. Each that the kernel has not
// discarded is handed over as one segment, owner or loss.
func FuzzRing(f *testing.F) {
	owner := make([]byte, ownerLen)
	owner[kindOffset] = ownerKind
	f.Add(lengthen(owner, 0), uint16(0))
	f.Add(lengthen(owner[:ownerLen-1], 0), uint16(8))
	short := packetRecord(make([]byte, 9))
	for n := range len(short) {
		f.Add(lengthen(short[:n], byte(n)), uint16(n<<13))
	}
	for i, packet := range seed.Packets(f) {
		f.Add(append(lengthen(packetRecord(packet), 0), lengthen(owner, byte(i%3))...), uint16(i*4099))
	}
	f.Fuzz(func(t *testing.T, content []byte, start uint16) {
		ring := newFuzzedRing(uint64(start) &^ 7)
		counts := &counting{}
		var stats Stats
		r := &reader{source: New(Settings{}, zap.NewNop(), &stats), ring: ring.ring, handler: counts, clock: new(clock)}
		r.source.processes = &processTable{stats: &stats, young: map[processKey]*capture.Process{{}: {}}, limit: 100}
		written := 0
		for len(content) >= 3 {
			n := min(int(binary.LittleEndian.Uint16(content)), len(content)-3)
			flags, record := content[2], content[3:3+n]
			content = content[3+n:]
			if isOwner(record) {
				// Of another one /proc would be asked.
				record = append(bytes.Clone(record[:unsafe.Offsetof(bpf.CaptureOwnerRecord{}.Owner)]), make([]byte, unsafe.Sizeof(bpf.CaptureProcessKey{}))...)
			}
			if !ring.write(record, flags) {
				break
			}
			if flags&1 == 0 {
				written++
			}
		}
		for b := r.ring.next(); b != nil; b = r.ring.next() {
			r.take(b)
		}
		r.ring.release()
		require.Equal(t, *ring.producer, *ring.consumer)
		require.Equal(t, written, counts.segments+counts.owners+counts.lost)
		require.Equal(t, uint64(counts.lost), stats.LostMalformed.Load())
		require.Equal(t, uint64(counts.owners), stats.Owners.Load())
	})
}

func isOwner(record []byte) bool {
	return len(record) >= ownerLen && record[kindOffset] == ownerKind
}

// lengthen puts length and flags before a record, as FuzzRing's input has them.
func lengthen(record []byte, flags byte) []byte {
	return append(append(binary.LittleEndian.AppendUint16(nil, uint16(len(record))), flags), record...)
}

// packetRecord is the record of an IP packet.
func packetRecord(packet []byte) []byte {
	packet = packet[:min(len(packet), 4<<10)]
	head := bpf.CapturePacketRecord{
		Kind: packetKind, Socket: 1, Direction: uint8(capture.Egress),
		WireLen: uint32(len(packet)), Captured: uint32(len(packet)),
	}
	return append(bytes.Clone((*[unsafe.Sizeof(head)]byte)(unsafe.Pointer(&head))[:]), packet...)
}

// fuzzedRingEnd is a ring whose other end is not the kernel.
type fuzzedRingEnd struct {
	*ring
	memory []uint64
}

func newFuzzedRing(start uint64) *fuzzedRingEnd {
	memory := make([]uint64, 2*fuzzedRing/8)
	r := &ring{
		data:     unsafe.Slice((*byte)(unsafe.Pointer(&memory[0])), 2*fuzzedRing),
		consumer: new(uint64), producer: new(uint64), position: start, released: start, mask: fuzzedRing - 1,
	}
	*r.consumer, *r.producer = start, start
	return &fuzzedRingEnd{r, memory}
}

// write adds a record as the kernel does, and tells whether there was room.
func (r *fuzzedRingEnd) write(record []byte, flags byte) bool {
	size := uint64(recordHeaderLen+len(record)+7) &^ 7
	if *r.producer+size-*r.consumer > fuzzedRing {
		return false
	}
	header := uint32(len(record))
	if flags&1 != 0 {
		header |= recordDiscarded
	}
	b := append(binary.NativeEndian.AppendUint64(nil, uint64(header)), record...)
	for i, c := range b {
		at := (*r.producer + uint64(i)) & r.mask
		r.data[at], r.data[at+fuzzedRing] = c, c // mapped twice
	}
	*r.producer += size
	return true
}

// counting counts what it is handed.
type counting struct {
	segments, owners, lost int
	sum                    uint32
}

func (c *counting) Segment(seg *capture.Segment) {
	c.segments++
	c.sum = crc32.Update(c.sum, crc32.IEEETable, seg.Payload) // it can be read
}
func (c *counting) Owner(uint64, *capture.Process)      { c.owners++ }
func (c *counting) Lost(n uint64, _ capture.LossReason) { c.lost += int(n) }
func (*counting) Tick(int64)                            {}

// FuzzProcess describes a process of which the kernel noted anything, and reads any
// files of /proc.
func FuzzProcess(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	require.NoError(f, err)
	f.Add([]byte("sh\x00"), []byte("sh\x00bin\x00"), []byte("docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope\x00system.slice\x00"),
		[]byte("sh\x00-c\x00OTEL_SERVICE_NAME=cart\x00"), own, []byte("0::/user.slice\n"), uint16(0))
	f.Add([]byte("x"), []byte{}, []byte("x\x00kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice\x00"), []byte{0, 0, 'a'}, []byte("1 (a) b) S 0"), []byte("1:a:/"), uint16(9999))
	stat := filepath.Join(f.TempDir(), "stat")
	f.Fuzz(func(t *testing.T, name, exe, cgroup, command, procStat, procCgroup []byte, excess uint16) {
		var v bpf.CaptureProcess
		copy(v.Name[:], name)
		v.ExeLen = uint32(copy(v.Exe[:], exe)) + uint32(excess)
		v.CgroupLen = uint32(copy(v.CgroupPath[:], cgroup)) + uint32(excess)
		v.CommandLen = uint32(copy(v.Command[:], command)) + uint32(excess)
		v.VariablesLen = uint32(copy(v.Variables[:], command)) + uint32(excess)
		var p capture.Process
		note(&p, &v)
		require.LessOrEqual(t, len(p.Name), len(v.Name))
		require.LessOrEqual(t, len(p.Executable), len(v.Exe)+1)
		require.LessOrEqual(t, len(p.CommandLine), len(v.Command))
		require.NotEmpty(t, p.CgroupPath)
		for _, path := range []string{p.CgroupPath, cgroupPath(procCgroup)} {
			require.Contains(t, []int{0, containerIDLen}, len(containerID(path)))
			require.Contains(t, []int{0, podUIDLen, staticPodLen}, len(podUID(path)))
		}
		require.NoError(t, os.WriteFile(stat, procStat, 0o600))
		_, _, _ = readStat(stat)
	})
}
