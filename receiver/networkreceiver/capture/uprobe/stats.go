// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package uprobe

import (
	"sync"
	"sync/atomic"
)

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

	mu       sync.Mutex
	programs map[string]*Connections
}

// Connections are numbers of TCP connections, by what could be seen of them.
type Connections [outcomes]uint64

// opaque is how many are encrypted and stay so.
func (c *Connections) opaque() (n uint64) {
	for o := Excluded; o < outcomes; o++ {
		n += c[o]
	}
	return n
}

// maxPrograms bounds the programs that are told apart. Further ones are told as
// "other".
const (
	maxPrograms = 512
	other       = "other"
)

// count adds connections of a program.
func (s *Stats) count(program string, o Outcome, n uint64) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.programs == nil {
		s.programs = map[string]*Connections{}
	}
	c := s.programs[program]
	if c == nil && len(s.programs) >= maxPrograms {
		program = other
		c = s.programs[program]
	}
	if c == nil {
		c = new(Connections)
		s.programs[program] = c
	}
	c[o] += n
}

// of gives the connections of a program.
func (s *Stats) of(program string) Connections {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.programs[program]; c != nil {
		return *c
	}
	return Connections{}
}

// EachProgram calls f with the number of a program's connections, for each outcome that
// it has had.
func (s *Stats) EachProgram(f func(program, outcome string, n uint64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for program, c := range s.programs {
		for o, n := range c {
			if n > 0 {
				f(program, Outcome(o).String(), n)
			}
		}
	}
}

// Outcome is what could be seen of a process's connections.
type Outcome uint8

// Outcomes.
const (
	Plain       Outcome = iota // not encrypted
	Decrypted                  // encrypted, and its plaintext was taken where the process has it
	Excluded                   // opaque: the filter does not let the process be looked into
	Gone                       // opaque: the process was over before it could be looked at
	NoLibrary                  // opaque: no known TLS library was found in the process
	Stripped                   // opaque: there is one, but nothing tells where its functions are
	Unsupported                // opaque: there is one, of an unknown version or machine
	Failed                     // opaque: probes could not be placed, or the process not be read
	Unbound                    // opaque: there are probes, but the connection did not pass them
	outcomes
)

func (o Outcome) String() string {
	return [...]string{
		"plain", "decrypted", "excluded", "gone", "no_library", "stripped", "unsupported", "failed", "unbound",
	}[o]
}

// EachConnection calls f with the number of connections of each outcome, of all programs.
func (s *Stats) EachConnection(f func(outcome string, n uint64)) {
	var all Connections
	s.mu.Lock()
	for _, c := range s.programs {
		for o, n := range c {
			all[o] += n
		}
	}
	s.mu.Unlock()
	for o, n := range all {
		f(Outcome(o).String(), n)
	}
}
