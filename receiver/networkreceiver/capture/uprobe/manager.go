// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/bpf"
)

// Times and bounds that are not worth a setting.
const (
	loadTime     = 100 * time.Millisecond // that a program gets to load its libraries
	seenTime     = time.Minute            // for which programs of one executable are taken to load the same libraries
	againTime    = 10 * time.Second       // between two looks at a process that has probes
	sweepTime    = 2 * time.Minute        // between two looks at all processes
	coverageTime = 5 * time.Second
	maxWaiting   = 4096    // processes that wait for their look
	maxProcesses = 1 << 14 // processes that are known
)

// Kinds of events.
const (
	eventExec      = uint64(bpf.CaptureEventKindEVENT_EXEC)
	eventUncovered = uint64(bpf.CaptureEventKindEVENT_UNCOVERED)
)

// Maps are the kernel's tables that a Manager reads.
type Maps struct {
	Events, Coverage, Verdicts *ebpf.Map
}

// Describe gives the name of a process's program, also when the process is over.
type Describe func(*bpf.CaptureProcessKey) string

// Manager keeps probes in the TLS libraries of all processes.
type Manager struct {
	logger *zap.Logger
	stats  *Stats
	maps   Maps
	files  files

	program Describe

	byMapping map[string]*file // since the last sweep; nil: left alone
	processes map[int]*process
	waiting   []waiting
	seen      map[*file]seen // by executable
	coverage  coverage

	events  *ringbuf.Reader
	stop    context.CancelFunc
	running sync.WaitGroup
}

// process is what is known of a running process.
type process struct {
	looked time.Time
	err    error
	files  []*file // with a TLS library, known or not
}

// seen is what the last process used that was looked at, of those of an executable.
type seen struct {
	at    time.Time
	files []*file
}

// waiting is a process that is looked at later.
type waiting struct {
	pid int
	at  time.Time
}

// New makes a manager.
func New(programs Programs, maps Maps, program Describe, logger *zap.Logger, stats *Stats) *Manager {
	return &Manager{
		logger: logger, stats: stats, maps: maps, program: program,
		files:     files{programs: programs, stats: stats, logger: logger, byID: map[identity]*file{}},
		byMapping: map[string]*file{},
		processes: map[int]*process{},
		seen:      map[*file]seen{},
		coverage:  newCoverage(),
	}
}

// Start places probes in what is installed and in what runs, and then goes on with
// what starts later, until Close.
func (m *Manager) Start() error {
	if info, err := os.Stat("/proc/self/exe"); err == nil {
		m.files.own, _ = identify(info) // of a regular file: it is running
	}
	var err error
	if m.events, err = ringbuf.NewReader(m.maps.Events); err != nil {
		return fmt.Errorf("open events of processes: %w", err)
	}
	before := time.Now()
	m.addInstalled(before)
	m.sweep(before)
	m.logger.Info("looked for TLS libraries", zap.Int("processes", len(m.processes)),
		zap.Int64("attached", m.stats.Attachments.Load()), zap.Duration("took", time.Since(before)))
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	events := make(chan bpf.CaptureEvent, 256)
	m.running.Go(func() { m.listen(ctx, events) })
	m.running.Go(func() { m.run(ctx, events) })
	return nil
}

// Close removes all probes.
func (m *Manager) Close() error {
	if m.stop != nil {
		m.stop()
	}
	var err error
	if m.events != nil {
		err = m.events.Close()
	}
	m.running.Wait()
	return errors.Join(err, m.files.close())
}

// listen hands on what the kernel tells.
func (m *Manager) listen(ctx context.Context, events chan<- bpf.CaptureEvent) {
	var record ringbuf.Record
	for m.events.ReadInto(&record) == nil {
		e, ok := parseEvent(record.RawSample)
		if !ok {
			continue
		}
		select {
		case events <- e:
		case <-ctx.Done():
			return
		}
	}
}

func (m *Manager) run(ctx context.Context, events <-chan bpf.CaptureEvent) {
	look := time.NewTicker(loadTime / 2)
	defer look.Stop()
	sweep := time.NewTicker(sweepTime)
	defer sweep.Stop()
	cover := time.NewTicker(coverageTime)
	defer cover.Stop()
	for {
		select {
		case <-ctx.Done():
			m.cover(time.Now())
			return
		case e := <-events:
			m.take(&e, time.Now())
		case now := <-look.C:
			m.lookDue(now)
		case now := <-sweep.C:
			m.addInstalled(now)
			m.sweep(now)
		case now := <-cover.C:
			m.cover(now)
		}
	}
}

func (m *Manager) take(e *bpf.CaptureEvent, now time.Time) {
	pid := int(e.Process.Pid)
	switch e.Kind {
	case eventExec:
		delete(m.processes, pid)
		m.lookAtExecutable(pid, now)
	case eventUncovered:
		if p := m.processes[pid]; p == nil || now.Sub(p.looked) >= m.patience(p) {
			m.look(pid, now)
		}
	}
}

// patience is how long after a look the next one may tell more.
func (m *Manager) patience(p *process) time.Duration {
	for _, f := range p.files {
		if f.links != nil {
			return againTime
		}
	}
	return time.Second
}

// lookAtExecutable is for a program that has just begun: what is linked statically
// is there already, other libraries are not.
func (m *Manager) lookAtExecutable(pid int, now time.Time) {
	exe := m.addExecutable(pid, now)
	if exe == nil {
		return
	}
	last := m.seen[exe]
	m.remember(pid, &process{files: last.files})
	if last.files == nil {
		m.processes[pid].use(exe)
	}
	if now.Sub(last.at) < seenTime {
		return
	}
	if len(m.waiting) >= maxWaiting {
		m.stats.LooksSkipped.Add(1)
		return
	}
	m.seen[exe] = seen{now, last.files}
	m.waiting = append(m.waiting, waiting{pid, now.Add(loadTime)})
}

func (m *Manager) addExecutable(pid int, now time.Time) *file {
	f, err := os.Open(executablePath(pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	path, err := os.Readlink(executablePath(pid))
	if err != nil {
		path = f.Name()
	}
	return m.files.add(f, path, now)
}

func (m *Manager) lookDue(now time.Time) {
	for len(m.waiting) > 0 && !now.Before(m.waiting[0].at) {
		pid := m.waiting[0].pid
		m.waiting = m.waiting[1:]
		m.look(pid, now)
	}
	if len(m.waiting) == 0 {
		m.waiting = nil
	}
}

// look looks at everything that a process has mapped to be executed.
func (m *Manager) look(pid int, now time.Time) {
	m.stats.Looks.Add(1)
	p := &process{looked: now}
	exe := m.addExecutable(pid, now)
	all, err := mappings(pid)
	if errors.Is(err, os.ErrNotExist) {
		delete(m.processes, pid)
		return
	}
	m.remember(pid, p)
	if err != nil {
		p.err = err
		m.stats.LooksFailed.Add(1)
	}
	if exe != nil {
		p.use(exe)
	}
	for i := range all {
		if f := m.addMapping(pid, &all[i], now); f != nil && f != exe {
			p.use(f)
		}
	}
	if exe != nil {
		m.seen[exe] = seen{now, p.files}
	}
}

func (m *Manager) remember(pid int, p *process) {
	if _, known := m.processes[pid]; known || len(m.processes) < maxProcesses {
		m.processes[pid] = p
	}
}

func (p *process) use(f *file) {
	if f.err != nil || f.runtime || (f.image != nil && len(f.image.Libraries) > 0) {
		p.files = append(p.files, f)
	}
}

// addMapping opens a file only the first time since the last sweep.
func (m *Manager) addMapping(pid int, at *mapping, now time.Time) *file {
	f, known := m.byMapping[at.key]
	if known && (f == nil || f.links != nil || !f.wanted() || now.Before(f.retry)) {
		if f != nil {
			f.used = now
		}
		return f
	}
	opened, err := at.open(pid)
	if err != nil {
		return nil
	}
	defer opened.Close()
	f = m.files.add(opened, at.path, now)
	m.byMapping[at.key] = f
	return f
}

// addInstalled places probes in libraries that programs will find which start later.
func (m *Manager) addInstalled(now time.Time) {
	for _, path := range installedLibraries() {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if known := m.files.add(f, path, now); known != nil {
			known.installed = path
		}
		_ = f.Close() // only read
	}
}

// sweep looks at all processes, and gives up what none of them uses.
func (m *Manager) sweep(now time.Time) {
	all, err := processes()
	if err != nil {
		m.stats.LooksFailed.Add(1)
		return
	}
	clear(m.byMapping)
	clear(m.seen)
	running := make(map[int]bool, len(all))
	for _, pid := range all {
		if pid == os.Getpid() {
			continue
		}
		running[pid] = true
		m.look(pid, now)
	}
	for pid := range m.processes {
		if !running[pid] {
			delete(m.processes, pid)
		}
	}
	m.files.forget(now)
}
