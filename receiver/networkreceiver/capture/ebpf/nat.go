// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/conntrack"
)

func (s *Source) startNAT() error {
	table := conntrack.NewTable()
	listener, err := conntrack.Listen(table, s.settings.NAT.NetNS)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, listener)
	s.nat, s.tracking = table, listener
	return nil
}

// Translated implements capture.Translator.
func (s *Source) Translated(t capture.Transport, local, remote netip.AddrPort) (netip.AddrPort, bool) {
	if s.nat == nil {
		return netip.AddrPort{}, false
	}
	to, ok := s.nat.Translated(t, local, remote)
	if !ok && !local.Addr().IsLoopback() {
		s.tracking.CatchUp() // a short call may end before its connection was read of
		to, ok = s.nat.Translated(t, local, remote)
	}
	return to, ok
}

// EachNAT tells what the kernel has told of address translation. It tells nothing if
// that is not wanted.
func (s *Source) EachNAT(tell func(kind string, n uint64)) {
	table := s.nat
	if table == nil {
		return
	}
	tell("nat_tracked", table.Stats.Tracked.Load())
	tell("nat_translated", table.Stats.Translated.Load())
	tell("nat_forgotten", table.Stats.Forgotten.Load())
	tell("nat_overrun", table.Stats.Overruns.Load())
	tell("nat_malformed", table.Stats.Malformed.Load())
}
