// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Layout of a word in trims, as in bpf/lib/socket/trim.h.
const (
	trimSlots = 1 << 14
	trimInUse = 1 << 63
)

// trims tells the kernel which payloads nobody needs. The map is shared memory, so
// telling it costs one store, and needs no privileges after the map was made.
type trims struct {
	memory []byte
	words  []uint64
}

func openTrims(m *ebpf.Map) (trims, error) {
	n := int(m.MaxEntries())
	if n != 2*trimSlots {
		return trims{}, fmt.Errorf("map trims: %d entries, not %d", n, 2*trimSlots)
	}
	memory, err := unix.Mmap(m.FD(), 0, 8*n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return trims{}, fmt.Errorf("map trims: %w", err)
	}
	return trims{memory: memory, words: unsafe.Slice((*uint64)(unsafe.Pointer(&memory[0])), n)}, nil
}

// place is where the word of a socket's direction is, and what it has in its upper
// half.
func (t trims) place(socket uint64, d capture.Direction) (word *uint64, tag uint64) {
	i := socket % trimSlots * 2
	if d == capture.Ingress {
		i++
	}
	return &t.words[i], trimInUse | socket/trimSlots<<32&^trimInUse
}

func (t trims) set(socket uint64, d capture.Direction, until uint32) {
	word, tag := t.place(socket, d)
	atomic.StoreUint64(word, tag|uint64(until))
}

// reset takes back what was said of a socket, unless another one has its place.
func (t trims) reset(socket uint64, d capture.Direction) {
	word, tag := t.place(socket, d)
	if w := atomic.LoadUint64(word); w&^0xffffffff == tag {
		atomic.CompareAndSwapUint64(word, w, 0)
	}
}

// clear takes everything back.
func (t trims) clear() {
	for i := range t.words {
		atomic.StoreUint64(&t.words[i], 0)
	}
}

func (t trims) close() error { return unix.Munmap(t.memory) }

// Trim implements capture.Trimmer.
func (s *Source) Trim(socket uint64, d capture.Direction, until uint32) {
	s.trims.set(socket, d, until)
}

// Untrim implements capture.Trimmer.
func (s *Source) Untrim(socket uint64, d capture.Direction) { s.trims.reset(socket, d) }
