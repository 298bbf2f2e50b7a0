// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package uprobe

import "sync/atomic"

// Stats counts what a Manager does.
type Stats struct {
	Looks         atomic.Uint64 // processes looked at
	LooksSkipped  atomic.Uint64 // processes not looked at, because there were too many at once
	LooksFailed   atomic.Uint64 // processes whose memory map could not be read
	Files         atomic.Uint64 // executables and libraries inspected
	FilesFailed   atomic.Uint64 // of those, not readable
	Attached      atomic.Uint64 // files that probes were placed in
	AttachFailed  atomic.Uint64 // attempts that failed
	AttachRetried atomic.Uint64 // attempts after one that failed
	Detached      atomic.Uint64 // files that no process uses any more, probes removed
	Attachments   atomic.Int64  // files that have probes: a current value
	AttachTime    atomic.Uint64 // time that inspecting and attaching took, ns

	Connections [outcomes]atomic.Uint64 // TCP connections of processes, by what was seen of them
}

// Outcome is what could be seen of a process's connections.
type Outcome uint8

// Outcomes.
const (
	Plain       Outcome = iota // not encrypted
	Decrypted                  // encrypted, and its plaintext was taken where the process has it
	Excluded                   // opaque: the filter does not let the process be looked into
	NoLibrary                  // opaque: no known TLS library was found in the process
	Stripped                   // opaque: there is one, but nothing tells where its functions are
	Unsupported                // opaque: there is one, of an unknown version or machine
	Failed                     // opaque: probes could not be placed, or the process not be read
	Unbound                    // opaque: there are probes, but the connection did not pass them
	outcomes
)

func (o Outcome) String() string {
	return [...]string{
		"plain", "decrypted", "excluded", "no_library", "stripped", "unsupported", "failed", "unbound",
	}[o]
}

// EachConnection calls f with the number of connections of each outcome.
func (s *Stats) EachConnection(f func(outcome string, n uint64)) {
	for o := range outcomes {
		f(o.String(), s.Connections[o].Load())
	}
}
