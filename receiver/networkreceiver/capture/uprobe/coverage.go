// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"unsafe"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// maxNames bounds the programs of which the last outcome is remembered.
const maxNames = 1024

// coverage is what was last said of each process's connections.
type coverage struct {
	last  map[programRun]counts
	names map[string]Outcome
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
	return coverage{last: map[programRun]counts{}, names: map[string]Outcome{}}
}

// cover counts what came since the last time. The kernel forgets processes that it
// has not heard of for long, and so is done here.
func (m *Manager) cover() {
	var key bpf.CaptureProcessKey
	var now bpf.CaptureCoverage
	next := make(map[programRun]counts, len(m.coverage.last))
	all := m.maps.Coverage.Iterate()
	for all.Next(&key, &now) {
		run := programRun{key.Start, key.Exec, key.Pid}
		last := m.coverage.last[run]
		next[run] = m.count(&key, last, now)
	}
	if all.Err() == nil {
		m.coverage.last = next
	}
}

func (m *Manager) count(key *bpf.CaptureProcessKey, last counts, now bpf.CaptureCoverage) counts {
	m.stats.Connections[Plain].Add(grown(last.plain, now.Plain))
	decrypted := grown(last.bound, now.Bound)
	m.stats.Connections[Decrypted].Add(decrypted)
	if decrypted > 0 {
		m.say(key, Decrypted)
	}
	opaque := grown(now.Bound, now.Encrypted)
	settled := min(opaque, last.opaque)
	next := counts{plain: now.Plain, bound: now.Bound, opaque: opaque, counted: last.counted}
	if n := grown(last.counted, settled); n > 0 {
		outcome := m.outcome(key)
		m.stats.Connections[outcome].Add(n)
		m.say(key, outcome)
		next.counted = settled
	}
	return next
}

func grown(from, to uint64) uint64 {
	if to < from {
		return 0
	}
	return to - from
}

// say logs the outcome of a program's connections when it changes.
func (m *Manager) say(key *bpf.CaptureProcessKey, outcome Outcome) {
	name := nameOf(int(key.Pid))
	last, known := m.coverage.names[name]
	if name == "" || (known && last == outcome) || (!known && len(m.coverage.names) >= maxNames) {
		return
	}
	m.coverage.names[name] = outcome
	m.logger.Info("encrypted connections of a program", zap.String("program", name),
		zap.Uint32("pid", key.Pid), zap.Stringer("outcome", outcome))
}

// outcome tells why a process's connections are opaque.
func (m *Manager) outcome(key *bpf.CaptureProcessKey) Outcome {
	var may uint8
	if m.maps.Verdicts.Lookup(key, &may) == nil && may == 0 {
		return Excluded
	}
	p := m.processes[int(key.Pid)]
	if p == nil {
		return NoLibrary // gone, or never looked at
	}
	if p.err != nil {
		return Failed
	}
	outcome := NoLibrary
	for _, f := range p.files {
		outcome = max(outcome, f.outcome())
	}
	return outcome
}

// outcome is that of connections that use a file: the more is known, the higher.
func (f *file) outcome() Outcome {
	switch {
	case f.links != nil:
		return Unbound
	case f.err != nil:
		return Failed
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

const newsLen = int(unsafe.Sizeof(bpf.CaptureNews{}))

func parseNews(b []byte) (n bpf.CaptureNews, ok bool) {
	if len(b) < newsLen {
		return n, false
	}
	return *(*bpf.CaptureNews)(unsafe.Pointer(&b[0])), true
}
