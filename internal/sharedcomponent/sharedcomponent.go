// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package sharedcomponent makes the instances that the Collector creates of one
// configuration, one for each signal and pipeline, the same component.
package sharedcomponent // import "github.com/wirespan/wirespan/internal/sharedcomponent"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Component is what instances share. Start and Shutdown are called once each, Shutdown
// only after a Start.
type Component interface {
	// Start may report the status of all instances with report until Shutdown is called.
	Start(ctx context.Context, host component.Host, report func(*componentstatus.Event)) error
	Shutdown(ctx context.Context) error
}

// Map has the components by their configuration. The zero value is empty.
type Map[K comparable, C Component] struct {
	// StopsWithFirst is for a receiver that hands something to all pipelines: the
	// Collector stops each pipeline's consumers right after its own instance.
	StopsWithFirst bool

	mu     sync.Mutex
	shared map[K]*shared[C]
}

// Instance returns a new instance of the component of a configuration, which create
// makes if there is none.
func (m *Map[K, C]) Instance(config K, create func() C) *Instance[C] {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.shared[config]
	if !ok {
		s = &shared[C]{component: create(), stopsWithFirst: m.StopsWithFirst, forget: func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			delete(m.shared, config)
		}}
		if m.shared == nil {
			m.shared = map[K]*shared[C]{}
		}
		m.shared[config] = s
	}
	return &Instance[C]{shared: s}
}

// shared is one component behind its instances. It starts with the first of them and
// stops with the first or the last of those that were started.
type shared[C Component] struct {
	component      C
	stopsWithFirst bool
	forget         func()

	mu       sync.Mutex
	started  int
	stopped  bool
	startErr error
	hosts    hosts
}

// Instance is what one component instance has of its own.
type Instance[C Component] struct {
	shared  *shared[C]
	started bool // guarded by shared.mu
}

// Unwrap returns the component.
func (i *Instance[C]) Unwrap() C { return i.shared.component }

// Start implements component.Component. All instances return the error of the start.
func (i *Instance[C]) Start(ctx context.Context, host component.Host) error {
	s := i.shared
	s.hosts.add(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.started {
		return s.startErr
	}
	if s.started++; s.started == 1 {
		s.startErr = s.component.Start(ctx, host, s.hosts.report)
	}
	i.started = true
	return s.startErr
}

// Shutdown implements component.Component. The instance that stops the component returns
// the error, so that it is told once.
func (i *Instance[C]) Shutdown(ctx context.Context) error {
	s := i.shared
	s.forget()
	s.hosts.mute()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !i.started {
		return nil
	}
	i.started = false
	s.started--
	if s.stopped || s.started > 0 && !s.stopsWithFirst {
		return nil
	}
	s.stopped = true
	return s.component.Shutdown(ctx)
}
