// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Record header of a BPF ring buffer (Documentation/bpf/ringbuf.rst).
const (
	recordHeaderLen = 8
	recordBusy      = 1 << 31
	recordDiscarded = 1 << 30
)

// ring reads a BPF ring buffer in place. Records stay valid until release: only
// then the kernel may write over them.
//
// The kernel maps a page with the consumer's position, which is written here, a
// page with the producer's position, and the data twice in a row, so that every
// record is contiguous.
type ring struct {
	consumerPage []byte
	producerData []byte
	data         []byte
	consumer     *uint64
	producer     *uint64
	position     uint64 // of the next record to be read
	released     uint64 // what the kernel knows of it
	mask         uint64
	waker        *waker
}

func openRing(fd, size int) (*ring, error) {
	page := os.Getpagesize()
	consumer, err := unix.Mmap(fd, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map ring position: %w", err)
	}
	producer, err := unix.Mmap(fd, int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map ring data: %w", err), unix.Munmap(consumer))
	}
	waker, err := newWaker(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Munmap(consumer), unix.Munmap(producer))
	}
	r := &ring{
		waker:        waker,
		consumerPage: consumer,
		producerData: producer,
		data:         producer[page:],
		consumer:     (*uint64)(unsafe.Pointer(&consumer[0])),
		producer:     (*uint64)(unsafe.Pointer(&producer[0])),
		mask:         uint64(size) - 1,
	}
	r.position = atomic.LoadUint64(r.consumer)
	r.released = r.position
	return r, nil
}

// end is the position up to which there are records.
func (r *ring) end() uint64 { return atomic.LoadUint64(r.producer) }

// next gives the next record, or nil if there is none that is complete. The
// record is borrowed until release.
func (r *ring) next() []byte {
	for r.position < r.end() {
		at := r.position & r.mask
		header := atomic.LoadUint32((*uint32)(unsafe.Pointer(&r.data[at])))
		if header&recordBusy != 0 {
			return nil
		}
		length := uint64(header &^ recordDiscarded)
		r.position += (recordHeaderLen + length + 7) &^ 7
		if header&recordDiscarded == 0 {
			return r.data[at+recordHeaderLen:][:length:length]
		}
	}
	return nil
}

// unreleased is the number of bytes that are read and still held.
func (r *ring) unreleased() uint64 { return r.position - r.released }

// release gives all records that were read back to the kernel.
func (r *ring) release() {
	if r.released != r.position {
		r.released = r.position
		atomic.StoreUint64(r.consumer, r.position)
	}
}

func (r *ring) close() error {
	return errors.Join(r.waker.close(), unix.Munmap(r.consumerPage), unix.Munmap(r.producerData))
}
