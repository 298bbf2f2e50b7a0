// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/wirespan/wirespan/bpf"
)

// processRules are what the kernel asks before a process is looked into.
type processRules struct{ exclude, include []processRule }

func makeProcessRules(t *TLS) processRules {
	return processRules{exclude: t.Exclude.rules(), include: t.Include.rules()}
}

func (l *processRules) len() int { return len(l.exclude) + len(l.include) }

// prepare sets which rules there are and makes room for them, before the programs are
// loaded.
func (l *processRules) prepare(spec *ebpf.CollectionSpec) error {
	var lists uint32
	for _, r := range l.include {
		lists |= uint32(r.list)
	}
	if err := setVariable(spec, bpf.TLSVarProcessLists, lists); err != nil {
		return err
	}
	if err := setVariable(spec, bpf.TLSVarProcessRules, uint32(l.len())); err != nil {
		return err
	}
	spec.Maps[bpf.TLSMapTlsRules].MaxEntries = uint32(max(l.len(), 1))
	if l.len() == 0 {
		spec.Maps[bpf.TLSMapTlsTexts].MaxEntries = 1
		spec.Maps[bpf.TLSMapTlsVerdicts].MaxEntries = 1
	}
	return nil
}

// write fills the rules in, before anything is attached. Those that exclude come first,
// for they decide.
func (l *processRules) write(rules *ebpf.Map) error {
	for i := range l.exclude {
		l.exclude[i].list = 0
	}
	for i, r := range append(l.exclude, l.include...) {
		entry := bpf.TLSProcessRule{User: r.user, Length: uint16(len(r.pattern)), Subject: r.subject, List: r.list}
		copy(entry.Pattern[:], r.pattern)
		if err := rules.Put(uint32(i), &entry); err != nil {
			return fmt.Errorf("write rule %d of the filter of processes: %w", i, err)
		}
	}
	return nil
}
