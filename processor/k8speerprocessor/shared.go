// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/processor"

	"github.com/wirespan/wirespan/internal/hosts"
)

// factory gives the instances that the collector makes of one configuration, for
// each signal and pipeline, the same processor: there is one watch and one index.
type factory struct {
	connect connectFunc

	mu     sync.Mutex
	shared map[*Config]*shared
}

func (f *factory) of(cfg *Config, set processor.Settings) *shared {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.shared[cfg]; ok {
		return s
	}
	s := &shared{processor: newProcessor(cfg, set, f.connect), forget: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.shared, cfg)
	}}
	f.shared[cfg] = s
	return s
}

// shared is one processor behind several component instances. It starts with the
// first and stops with the last of those that were started.
type shared struct {
	processor *peerProcessor
	forget    func()

	mu       sync.Mutex
	started  int
	startErr error
	hosts    hosts.Hosts
}

// instance is what one component instance has of its own.
type instance struct {
	shared  *shared
	started bool // guarded by shared.mu
}

func (i *instance) start(ctx context.Context, host component.Host) error {
	s := i.shared
	s.hosts.Add(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started++; s.started == 1 {
		s.startErr = s.processor.start(ctx, host, s.hosts.Report)
	}
	i.started = true
	return s.startErr
}

func (i *instance) shutdown(ctx context.Context) error {
	s := i.shared
	s.forget()
	s.hosts.Mute()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !i.started {
		return nil
	}
	i.started = false
	if s.started--; s.started > 0 {
		return nil
	}
	return s.processor.shutdown(ctx)
}
