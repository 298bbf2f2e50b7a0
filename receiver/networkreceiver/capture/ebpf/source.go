// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/bpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/conntrack"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe"
)

// Source captures live traffic. It implements capture.Source.
type Source struct {
	settings Settings
	logger   *zap.Logger
	stats    *Stats
	clock    clock
	*kernel
	// abandoned is set when what is left in the rings is not to be handed over.
	abandoned atomic.Bool
	// unprivileged is set when what is closed could not be opened again.
	unprivileged bool
}

// kernel is what a source has in the kernel.
type kernel struct {
	objects   bpf.CaptureObjects
	rings     []*ring
	tls       bpf.TLSObjects
	libraries *uprobe.Stats    // nil if no plaintext is wanted
	nat       *conntrack.Table // nil if that is not wanted
	tracking  *conntrack.Listener
	losses    [][losses]uint64 // of each shard, as last reported
	processes *processTable
	trims     trims
	closers   []io.Closer // in the order in which they were opened
}

var (
	_ capture.Source     = (*Source)(nil)
	_ capture.Trimmer    = (*Source)(nil)
	_ capture.Translator = (*Source)(nil)
)

// New makes a source. Nothing is acquired before Start.
func New(settings Settings, logger *zap.Logger, stats *Stats) *Source {
	return &Source{settings: settings, logger: logger, stats: stats, kernel: &kernel{}}
}

// Shards implements capture.Source.
func (s *Source) Shards() int { return s.settings.Shards }

// Start implements capture.Source: it loads and attaches the programs.
//
//nolint:contextcheck // what looks for TLS libraries outlives the context of Start
func (s *Source) Start(context.Context) error {
	if err := s.settings.Validate(); err != nil {
		return err
	}
	s.clock.start(readClock)
	if s.takeOver() {
		return nil
	}
	if err := probe.Check(s.settings.Cgroup); err != nil {
		if gaveAway.Load() {
			return fmt.Errorf("this process gave its privileges away after an earlier start: "+
				"restart the collector, or set keep_privileges: %w", err)
		}
		return err
	}
	if err := s.start(); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

func (s *Source) start() error {
	root, err := probe.CgroupRoot()
	if err != nil {
		return err
	}
	if err := s.load(root); err != nil {
		return err
	}
	for shard := range s.settings.Shards {
		if err := s.addRing(uint32(shard)); err != nil {
			return err
		}
	}
	if s.trims, err = openTrims(s.objects.Trims); err != nil {
		return err
	}
	s.closers = append(s.closers, closer(s.trims.close))
	s.processes = newProcessTable(s.objects.Processes, s.settings.processes(), s.stats)
	dir := s.settings.Cgroup
	if dir == "" {
		dir = root
	}
	if err := s.attach(dir); err != nil {
		return err
	}
	if s.settings.TLS.Enabled {
		if err := s.startTLS(); err != nil {
			s.logger.Warn("encrypted connections stay opaque", zap.Error(err))
		}
	}
	if s.settings.NAT.Enabled {
		if err := s.startNAT(); err != nil {
			s.logger.Warn("where packets to translated addresses go stays unknown", zap.Error(err))
		}
	}
	s.logger.Info("capturing live traffic", zap.String("cgroup", dir), zap.Int("shards", s.settings.Shards),
		zap.Int("ring_bytes", s.settings.ringBytes()))
	return nil
}

func (s *Source) load(root string) error {
	spec, err := bpf.LoadCapture()
	if err != nil {
		return fmt.Errorf("read programs: %w", err)
	}
	if err := setVariable(spec, bpf.CaptureVarShards, uint32(s.settings.Shards)); err != nil {
		return err
	}
	if err := setVariable(spec, bpf.CaptureVarLocalCalls, uint32(s.settings.LocalCalls)); err != nil {
		return err
	}
	if err := setVariable(spec, bpf.CaptureVarTls, s.settings.TLS.Enabled); err != nil {
		return err
	}
	if !s.settings.TLS.Enabled {
		for _, name := range []string{
			bpf.CaptureMapTlsCalls, bpf.CaptureMapTlsSessions, bpf.CaptureMapTlsSockets, bpf.CaptureMapTlsCoverage,
		} {
			spec.Maps[name].MaxEntries = 1
		}
	}
	spec.Maps[bpf.CaptureMapRings].InnerMap.MaxEntries = uint32(s.settings.ringBytes())
	spec.Maps[bpf.CaptureMapProcesses].MaxEntries = uint32(s.settings.processes())
	lists := makeFilterLists(&s.settings)
	if err := lists.prepare(spec); err != nil {
		return err
	}
	if err := spec.LoadAndAssign(&s.objects, nil); err != nil {
		return fmt.Errorf("load programs: %w", err)
	}
	s.closers = append(s.closers, &s.objects)
	absent, err := lists.write(&s.objects.CaptureMaps, root)
	if err != nil {
		return err
	}
	if len(absent) > 0 {
		s.logger.Warn("cgroups of a filter do not exist", zap.Strings("cgroups", absent))
	}
	return nil
}

func (s *Source) addRing(shard uint32) error {
	size := s.settings.ringBytes()
	m, err := ebpf.NewMap(&ebpf.MapSpec{Name: "ring", Type: ebpf.RingBuf, MaxEntries: uint32(size)})
	if err != nil {
		return fmt.Errorf("make ring: %w", err)
	}
	s.closers = append(s.closers, m)
	if err := s.objects.Rings.Put(shard, m); err != nil {
		return fmt.Errorf("add ring: %w", err)
	}
	r, err := openRing(m.FD(), size)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, closer(r.close))
	s.rings = append(s.rings, r)
	s.losses = append(s.losses, [losses]uint64{})
	return nil
}

// attach visits the open sockets twice: before the attachment, so that the
// collector's own are known, and after it, for those opened in between.
func (s *Source) attach(dir string) error {
	visit, err := link.AttachIter(link.IterOptions{Program: s.objects.OpenSockets})
	if err != nil {
		return fmt.Errorf("attach socket iterator: %w", err)
	}
	defer visit.Close()
	if err := visitSockets(visit); err != nil {
		return err
	}
	state, err := attachTracing(s.objects.StateChange)
	if err != nil {
		return fmt.Errorf("attach to socket states: %w", err)
	}
	s.closers = append(s.closers, state)
	resets, err := attachTracing(s.objects.ResetReceived)
	if err != nil {
		return fmt.Errorf("attach to resets: %w", err)
	}
	s.closers = append(s.closers, resets)
	for _, p := range []struct {
		program *ebpf.Program
		attach  ebpf.AttachType
	}{
		{s.objects.Egress, ebpf.AttachCGroupInetEgress},
		{s.objects.Ingress, ebpf.AttachCGroupInetIngress},
	} {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: dir, Attach: p.attach, Program: p.program})
		if err != nil {
			return fmt.Errorf("attach to cgroup %s: %w", dir, err)
		}
		s.closers = append(s.closers, l)
	}
	return visitSockets(visit)
}

func attachTracing(p *ebpf.Program) (link.Link, error) {
	return link.AttachTracing(link.TracingOptions{Program: p})
}

func visitSockets(visit *link.Iter) error {
	r, err := visit.Open()
	if err != nil {
		return fmt.Errorf("open socket iterator: %w", err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("visit open sockets: %w", err)
	}
	return nil
}

// ClockStep is by how much the system's clock was set since Start, in nanoseconds.
// The times of segments know nothing of it.
func (s *Source) ClockStep() int64 { return s.clock.step.Load() }

// DropPrivileges gives away what only Start needs, for the whole process and for
// good; see probe.Drop. What other parts of the process need is named in keep.
func (s *Source) DropPrivileges(keep ...probe.Capability) error {
	left, err := probe.Drop(func() error {
		var l bpf.CaptureLosses
		return s.objects.Lost.Lookup(uint32(0), &l)
	}, keep...)
	if err != nil {
		return fmt.Errorf("drop privileges: %w", err)
	}
	s.unprivileged = true
	gaveAway.Store(true)
	s.logger.Info("dropped privileges", zap.Stringers("kept", left))
	return nil
}

// Close implements capture.Source. After DropPrivileges it leaves what is in the
// kernel to a next source for a while.
func (s *Source) Close() error {
	k := s.kernel
	s.kernel = &kernel{}
	if s.unprivileged && len(k.closers) > 0 {
		handOff(s.settings, k)
		return nil
	}
	return k.close()
}

func (k *kernel) close() error {
	var all []error
	for i := len(k.closers) - 1; i >= 0; i-- {
		all = append(all, k.closers[i].Close())
	}
	return errors.Join(all...)
}

type closer func() error

func (c closer) Close() error { return c() }
