// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package ebpf

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// Bounds and defaults of Settings.
const (
	MaxShards        = 64
	DefaultRingBytes = 16 << 20
	MinRingBytes     = 512 << 10
	MaxRingBytes     = 1 << 30
	DefaultProcesses = 4096
	maxNameLen       = 63
	maxCommLen       = 15
)

// Settings say what to capture and how much room that may take.
type Settings struct {
	// Shards is the number of rings, each read by one Run. Between 1 and MaxShards.
	Shards int
	// RingBytes is the size of each ring: a power of two between MinRingBytes
	// and MaxRingBytes. 0 means DefaultRingBytes. With TLS rings are twice as large:
	// a call of a library may hand over many megabytes at once.
	RingBytes int
	// Cgroup is the directory of the cgroup v2 hierarchy below which sockets are
	// captured. Empty means the root of the hierarchy, wherever it is mounted.
	Cgroup string
	// Processes bounds the table of processes that own sockets. 0 means
	// DefaultProcesses.
	Processes int
	// LocalCalls says which ends of connections within this machine are captured.
	LocalCalls LocalCalls
	// TLS says whether plaintext is taken where processes have it.
	TLS TLS
	// NAT says whether address translation is listened to.
	NAT NAT
	// Include says what to capture. A list that is empty includes everything.
	Include Filter
	// Exclude says what not to capture. It wins over Include.
	Exclude Filter
}

// LocalCalls names ends of connections of which both ends are on this machine.
type LocalCalls uint32

// Values of LocalCalls, as in bpf/lib/socket/local.h.
const (
	LocalBoth   LocalCalls = iota
	LocalClient            // the end that opened the connection
	LocalServer            // the other end
)

// NAT says of which network namespace the kernel is asked where packets go whose
// addresses it translates.
type NAT struct {
	Enabled bool
	// NetNS is a file that stands for the namespace. Empty: that of this process.
	NetNS string
}

// Filter is a selection of traffic. Each list is asked on its own; a connection
// must pass all of them.
type Filter struct {
	// Ports of TCP and UDP; either end of a connection may have it.
	Ports []uint16
	// Prefixes of addresses; either end may be in it. For one address, the
	// longest prefix of both Include and Exclude decides.
	Prefixes []netip.Prefix
	// Cgroups are paths below the root of the cgroup v2 hierarchy, such as
	// "/kubepods.slice". Cgroups below them are meant as well.
	Cgroups []string
	// Processes are names of processes or of their executables (the last part of the
	// path), at most 63 bytes. The kernel keeps 15 bytes of a process's own name: scripts
	// that differ only beyond that are not told apart.
	Processes []string
}

// Validate tells what is wrong with the settings.
func (s *Settings) Validate() error {
	var all []error
	if s.Shards < 1 || s.Shards > MaxShards {
		all = append(all, fmt.Errorf("shards is %d, must be between 1 and %d", s.Shards, MaxShards))
	}
	if n := s.RingBytes; n != 0 && (n < MinRingBytes || n > MaxRingBytes || bits.OnesCount(uint(n)) != 1) {
		all = append(all, fmt.Errorf("ring size is %d, must be a power of two between %d and %d",
			n, MinRingBytes, MaxRingBytes))
	}
	if s.Processes < 0 {
		all = append(all, fmt.Errorf("number of processes is %d, must not be negative", s.Processes))
	}
	if s.LocalCalls > LocalServer {
		all = append(all, fmt.Errorf("local calls are %d, must be at most %d", s.LocalCalls, LocalServer))
	}
	return errors.Join(append(all, s.Include.validate(), s.Exclude.validate(), s.TLS.validate())...)
}

func (s *Settings) ringBytes() int {
	n := s.RingBytes
	if n == 0 {
		n = DefaultRingBytes
	}
	if s.TLS.Enabled {
		n *= 2
	}
	return n
}

func (s *Settings) processes() int {
	if s.Processes == 0 {
		return DefaultProcesses
	}
	return s.Processes
}

func (f *Filter) validate() error {
	var all []error
	for _, p := range f.Prefixes {
		if !p.IsValid() {
			all = append(all, errors.New("prefix is not valid"))
		}
	}
	for _, n := range f.Processes {
		if n == "" || len(n) > maxNameLen || strings.Contains(n, "/") {
			all = append(all, fmt.Errorf("process %q must be a name of 1 to %d bytes, not a path", n, maxNameLen))
		}
	}
	for _, c := range f.Cgroups {
		if !strings.HasPrefix(c, "/") {
			all = append(all, fmt.Errorf("cgroup %q must begin with /", c))
		}
	}
	return errors.Join(all...)
}
