// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package probe

import (
	"errors"
	"runtime"
)

// Capability is a privilege of Linux.
type Capability uint8

// Perfmon is what it is on Linux: nothing here.
const Perfmon Capability = 0

func (c Capability) String() string { return "" }

// Check says that there is no eBPF on this system.
func Check(string) error {
	return errors.New("capture by eBPF needs Linux, this is " + runtime.GOOS + ": replay a capture file instead")
}

// Drop does nothing.
func Drop(func() error, ...Capability) ([]Capability, error) { return nil, errors.ErrUnsupported }
