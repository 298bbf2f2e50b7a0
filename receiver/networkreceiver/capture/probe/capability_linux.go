// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Capability is a privilege of capabilities(7).
type Capability uint8

// Capabilities that capturing needs, or that stand in for others.
const (
	NetAdmin  Capability = unix.CAP_NET_ADMIN  // cgroup_skb programs
	SysPtrace Capability = unix.CAP_SYS_PTRACE // /proc of other users' processes, if it hides them
	SysAdmin  Capability = unix.CAP_SYS_ADMIN  // stands in for the three needed ones
	Perfmon   Capability = unix.CAP_PERFMON    // kernel types and memory
	BPF       Capability = unix.CAP_BPF        // programs and maps
)

// Needed is the least set with which a capture can start.
var Needed = []Capability{BPF, Perfmon, NetAdmin}

var capabilityNames = map[Capability]string{
	NetAdmin: "CAP_NET_ADMIN", SysPtrace: "CAP_SYS_PTRACE", SysAdmin: "CAP_SYS_ADMIN",
	Perfmon: "CAP_PERFMON", BPF: "CAP_BPF",
}

func (c Capability) String() string {
	if n, ok := capabilityNames[c]; ok {
		return n
	}
	return fmt.Sprintf("capability %d", uint8(c))
}

// capabilitySet is a set in the form of capset(2), one bit per capability.
type capabilitySet uint64

func setOf(all ...Capability) (s capabilitySet) {
	for _, c := range all {
		s |= 1 << c
	}
	return s
}

func (s capabilitySet) has(c Capability) bool { return s>>c&1 != 0 }

func (s capabilitySet) list() (all []Capability) {
	for c := range Capability(64) {
		if s.has(c) {
			all = append(all, c)
		}
	}
	return all
}

// capabilityHeader and capabilityData are the arguments of capget(2), version 3.
func capabilityHeader() *unix.CapUserHeader {
	return &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
}

type capabilityData [2]unix.CapUserData

func readCapabilities() (d capabilityData, err error) {
	if err := unix.Capget(capabilityHeader(), &d[0]); err != nil {
		return d, fmt.Errorf("read capabilities: %w", err)
	}
	return d, nil
}

func (d *capabilityData) effective() capabilitySet {
	return capabilitySet(d[0].Effective) | capabilitySet(d[1].Effective)<<32
}

func (d *capabilityData) permitted() capabilitySet {
	return capabilitySet(d[0].Permitted) | capabilitySet(d[1].Permitted)<<32
}

// restrict takes every capability that is not in keep out of all sets.
func (d *capabilityData) restrict(keep capabilitySet) {
	for i := range d {
		part := uint32(keep >> (32 * i))
		d[i].Effective &= part
		d[i].Permitted &= part
		d[i].Inheritable &= part
	}
}
