// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe"
)

// startTLS loads the programs that run in TLS libraries, and begins to attach them.
func (s *Source) startTLS() error {
	spec, err := bpf.LoadTLS()
	if err != nil {
		return fmt.Errorf("read programs: %w", err)
	}
	shared := s.objects.Shared()
	for name, m := range shared {
		spec.Maps[name].MaxEntries = m.MaxEntries()
	}
	multi := features.HaveBPFLinkUprobeMulti() == nil
	if multi {
		for _, p := range spec.Programs {
			if p.Type == ebpf.Kprobe {
				p.AttachType = ebpf.AttachTraceUprobeMulti
			}
		}
	}
	rules := makeProcessRules(&s.settings.TLS)
	if err := rules.prepare(spec); err != nil {
		return err
	}
	o := &s.tls
	if err := spec.LoadAndAssign(o, &ebpf.CollectionOptions{MapReplacements: shared}); err != nil {
		return fmt.Errorf("load programs for TLS libraries: %w", err)
	}
	s.closers = append(s.closers, o)
	if err := rules.write(o.TlsRules); err != nil {
		return err
	}
	return s.startLibraries(multi)
}

func (s *Source) startLibraries(multi bool) error {
	o := &s.tls
	exec, err := attachTracing(o.ProcessExec)
	if err != nil {
		return fmt.Errorf("attach to program starts: %w", err)
	}
	s.closers = append(s.closers, exec)
	s.libraries = new(uprobe.Stats)
	m := uprobe.New(uprobe.Programs{
		LibraryEnter: o.LibraryEnter, LibraryReturn: o.LibraryReturn, LibraryForget: o.LibraryForget,
		GoHandshake: o.GoHandshake, GoEnter: o.GoEnter, GoReturn: o.GoReturn, GoCopy: o.GoCopy, Multi: multi,
	}, uprobe.Maps{Events: s.objects.TlsEvents, Coverage: s.objects.TlsCoverage, Verdicts: o.TlsVerdicts}, s.processes.program, s.logger, s.libraries)
	s.closers = append(s.closers, m)
	if err := m.Start(); err != nil {
		return fmt.Errorf("look for TLS libraries: %w", err)
	}
	return nil
}

// program is how a process's program is called where its connections are counted.
func (t *processTable) program(key *bpf.CaptureProcessKey) string {
	p := t.get(key)
	switch {
	case p.Executable != "":
		return p.Executable
	case p.Name != "":
		return p.Name
	}
	return "unknown"
}

func (r *reader) takePlaintext(head *bpf.TLSPlaintextRecord, b []byte) {
	if int(head.Captured) > len(b) {
		r.malformed()
		return
	}
	stats := r.source.stats
	stats.Plain.Add(1)
	stats.PlainBytes.Add(uint64(head.Captured))
	p := &r.piece
	p.Time = r.clock.unix(head.Time)
	p.Socket = head.Socket
	p.Direction = capture.Direction(head.Direction)
	p.Offset = head.Offset
	p.Payload = b[:head.Captured]
	r.plain.Plain(p)
}

// EachProgram tells, for each program, what could be seen of its connections. It tells
// nothing if no plaintext is wanted.
func (s *Source) EachProgram(tell func(program, outcome string, n uint64)) {
	if libraries := s.libraries; libraries != nil {
		libraries.EachProgram(tell)
	}
}

// EachTLS tells what was done to see plaintext, and what for each process's
// connections came of it. It tells nothing if that is not wanted.
func (s *Source) EachTLS(tell func(kind string, n uint64)) {
	libraries := s.libraries
	if libraries == nil {
		return
	}
	tell("tls_process_looked", libraries.Looks.Load())
	tell("tls_process_skipped", libraries.LooksSkipped.Load())
	tell("tls_process_failed", libraries.LooksFailed.Load())
	tell("tls_file", libraries.Files.Load())
	tell("tls_file_failed", libraries.FilesFailed.Load())
	tell("tls_attached", libraries.Attached.Load())
	tell("tls_attach_failed", libraries.AttachFailed.Load())
	tell("tls_attach_retried", libraries.AttachRetried.Load())
	tell("tls_detached", libraries.Detached.Load())
	tell("tls_attach_microseconds", libraries.AttachTime.Load()/1000)
	libraries.EachConnection(func(outcome string, n uint64) { tell("tls_connection_"+outcome, n) })
	for i, kind := range [bpf.TLSUnboundCountUNBOUND_COUNTS]string{
		bpf.TLSUnboundCountUNBOUND_CALLS: "tls_unbound_call",
		bpf.TLSUnboundCountUNBOUND_BYTES: "tls_unbound_byte",
	} {
		var n uint64
		if s.tls.TlsUnbound.Lookup(uint32(i), &n) == nil {
			tell(kind, n)
		}
	}
}
