// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wirespan/wirespan/bpf"
)

// How long a reader waits that nobody wakes. All readers wait until the same multiples of
// these, so that a collector wakes up once for all of them.
const (
	pause     = 10 * time.Millisecond
	longPause = 5 * pause
	calm      = 10 // times in a row that a ring was empty, from which on it is looked at less often
)

// ringParts is of how many parts a ring has, at the end of which its reader is woken.
const ringParts = uint64(bpf.CaptureRingLimitRING_PARTS)

// waker is what a reader waits for: the kernel rings it when a part of the ring is full.
type waker struct {
	file *os.File
	conn syscall.RawConn
}

// newWaker returns a ring's waker. The descriptor stays its owner's.
func newWaker(fd int) (*waker, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate ring: %w", err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare ring: %w", err), unix.Close(own))
	}
	b := &waker{file: os.NewFile(uintptr(own), "ring")}
	if b.conn, err = b.file.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for ring: %w", err), b.close())
	}
	return b, nil
}

// wait returns when the kernel has woken the reader, or at the next multiple of a pause.
func (b *waker) wait(pause time.Duration) error {
	if err := b.file.SetReadDeadline(time.Now().Truncate(pause).Add(pause)); err != nil {
		return fmt.Errorf("wait for ring: %w", err)
	}
	asked := false
	err := b.conn.Read(func(uintptr) bool {
		rung := asked
		asked = true
		return rung
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("wait for ring: %w", err)
	}
	return nil
}

func (b *waker) close() error { return b.file.Close() }
