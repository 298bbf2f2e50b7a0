// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"strings"
	"time"
	"unsafe"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// repeatTime is how long an outcome is not logged again for a program.
const repeatTime = 10 * time.Minute

// coverage is what was last said of each process's connections.
type coverage struct {
	last map[programRun]counts
	said map[string]*said
}

// said is what was logged of a program.
type said struct {
	last Outcome
	at   [outcomes]time.Time
}

type programRun struct {
	start, exec uint64
	pid         uint32
}

type counts struct {
	plain, bound uint64
	opaque       uint64 // as last read: part of it may still be bound
	counted      uint64 // of them, counted as opaque
}

func newCoverage() coverage {
	return coverage{last: map[programRun]counts{}, said: map[string]*said{}}
}

// cover counts what came since the last time. The kernel forgets processes that it
// has not heard of for long, and so is done here.
func (m *Manager) cover(at time.Time) {
	var key bpf.CaptureProcessKey
	var now bpf.CaptureCoverage
	next := make(map[programRun]counts, len(m.coverage.last))
	all := m.maps.Coverage.Iterate()
	for all.Next(&key, &now) {
		run := programRun{key.Start, key.Exec, key.Pid}
		last := m.coverage.last[run]
		next[run] = m.count(&key, last, now, at)
	}
	if all.Err() == nil {
		m.coverage.last = next
	}
}

func (m *Manager) count(key *bpf.CaptureProcessKey, last counts, now bpf.CaptureCoverage, at time.Time) counts {
	plain, decrypted := grown(last.plain, now.Plain), grown(last.bound, now.Bound)
	opaque := grown(now.Bound, now.Encrypted)
	settled := min(opaque, last.opaque)
	more := grown(last.counted, settled)
	next := counts{plain: now.Plain, bound: now.Bound, opaque: opaque, counted: max(last.counted, settled)}
	if plain+decrypted+more == 0 {
		return next
	}
	program := m.program(key)
	m.stats.count(program, Plain, plain)
	m.stats.count(program, Decrypted, decrypted)
	if decrypted > 0 {
		m.say(program, key, Decrypted, "", at)
	}
	if more > 0 {
		outcome, library := m.outcome(key)
		m.stats.count(program, outcome, more)
		m.say(program, key, outcome, library, at)
	}
	return next
}

func grown(from, to uint64) uint64 {
	if to < from {
		return 0
	}
	return to - from
}

// say logs the outcome of a program's connections when it changes, and which library is the
// reason, if one is known.
func (m *Manager) say(program string, key *bpf.CaptureProcessKey, outcome Outcome, library string, at time.Time) {
	before := m.coverage.said[program]
	if before == nil {
		if len(m.coverage.said) >= maxPrograms {
			return
		}
		before = &said{last: outcomes}
		m.coverage.said[program] = before
	}
	if before.last == outcome || at.Sub(before.at[outcome]) < repeatTime {
		return
	}
	before.last, before.at[outcome] = outcome, at
	of := m.stats.of(program)
	fields := []zap.Field{
		zap.String("program", program), zap.Uint32("pid", key.Pid), zap.Stringer("outcome", outcome),
		zap.Uint64("plain", of[Plain]), zap.Uint64("decrypted", of[Decrypted]), zap.Uint64("opaque", of.opaque()),
	}
	if library != "" {
		fields = append(fields, zap.String("library", library))
	}
	m.logger.Info("encrypted connections of a program", fields...)
}

// outcome tells why a process's connections are opaque, and which library is the reason.
func (m *Manager) outcome(key *bpf.CaptureProcessKey) (o Outcome, library string) {
	var may uint8
	if m.maps.Verdicts.Lookup(key, &may) == nil && may == 0 {
		return Excluded, ""
	}
	p := m.processes[int(key.Pid)]
	switch {
	case p == nil:
		return Gone, ""
	case p.err != nil:
		return Failed, ""
	}
	return p.outcome()
}

// outcome is that of the file of which most is known.
func (p *process) outcome() (o Outcome, library string) {
	o = NoLibrary
	for _, f := range p.files {
		if of := f.outcome(); of > o {
			o, library = of, f.library()
		}
	}
	return o, library
}

// library names the libraries in a file.
func (f *file) library() string {
	switch {
	case f.runtime:
		return "Java"
	case f.image == nil:
		return f.path
	}
	return strings.Join(names(f.image), ", ")
}

// outcome is that of connections that use a file: the more is known, the higher.
func (f *file) outcome() Outcome {
	switch {
	case f.links != nil:
		return Unbound
	case f.err != nil:
		return Failed
	case f.runtime:
		return Unsupported
	}
	outcome := NoLibrary
	for i := range f.image.Libraries {
		switch f.image.Libraries[i].Reason {
		case symbol.Stripped:
			outcome = max(outcome, Stripped)
		case symbol.UnsupportedVersion, symbol.UnsupportedMachine, symbol.TooLarge:
			outcome = max(outcome, Unsupported)
		}
	}
	return outcome
}

const eventLen = int(unsafe.Sizeof(bpf.CaptureEvent{}))

func parseEvent(b []byte) (e bpf.CaptureEvent, ok bool) {
	if len(b) < eventLen {
		return e, false
	}
	return *(*bpf.CaptureEvent)(unsafe.Pointer(&b[0])), true
}
