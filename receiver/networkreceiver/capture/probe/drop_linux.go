// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Drop gives away, for all threads and for good, every capability that a capture
// does not need once it is attached, except those in keep, and sets
// no_new_privs. It returns the capabilities that are left.
//
// Of those that a start needs, CAP_BPF is kept where works, which must use the
// kernel's maps as the capture will, fails without it: kernels before 5.19 that
// disable unprivileged eBPF. CAP_SYS_PTRACE is kept if it was there: where /proc
// hides processes of other users, command lines of processes that are older than
// the capture need it.
//
// Drop needs a program without cgo: only there the Go runtime knows all threads.
// Otherwise it changes nothing and the error is errors.ErrUnsupported.
func Drop(works func() error, keep ...Capability) ([]Capability, error) {
	d, err := readCapabilities()
	if err != nil {
		return nil, err
	}
	wanted := setOf(keep...) | setOf(SysPtrace)
	if works != nil && worksWith(d, wanted, works) != nil {
		wanted |= setOf(BPF)
	}
	d.restrict(wanted)
	if err := setAllThreads(d); err != nil {
		return nil, err
	}
	return (d.permitted() & wanted).list(), nil
}

// worksWith tries something with a part of the capabilities, on a thread that
// ends afterwards: nothing else notices.
func worksWith(d capabilityData, wanted capabilitySet, works func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		d.restrict(wanted)
		if err := unix.Capset(capabilityHeader(), &d[0]); err != nil {
			result <- err
			return
		}
		result <- works()
	}()
	return <-result
}

// setAllThreads sets no_new_privs first: that can not fail half-way.
func setAllThreads(d capabilityData) error {
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return dropError("set no_new_privs", errno)
	}
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0)
	if errno != 0 {
		return dropError("clear ambient capabilities", errno)
	}
	header := capabilityHeader()
	_, _, errno = syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(&d[0])), 0)
	runtime.KeepAlive(header)
	runtime.KeepAlive(&d)
	if errno != 0 {
		return dropError("set capabilities", errno)
	}
	return nil
}

func dropError(what string, errno syscall.Errno) error {
	if errno == syscall.ENOTSUP {
		return fmt.Errorf("%s: the program is built with cgo: %w", what, errors.ErrUnsupported)
	}
	return fmt.Errorf("%s: %w", what, errno)
}
