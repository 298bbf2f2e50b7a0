// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"

	"github.com/wirespan/wirespan/internal/hosts"
)

// sharing makes the instances that the collector creates for each signal of one
// configuration the same receiver: there is one capture, whatever it feeds.
type sharing struct {
	mu        sync.Mutex
	receivers map[*Config]*shared
}

// of gives the receiver of a configuration and makes it if need be.
func (s *sharing) of(cfg *Config, create func() *networkReceiver) *shared {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.receivers[cfg]; ok {
		return r
	}
	r := &shared{receiver: create(), forget: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.receivers, cfg)
	}}
	s.receivers[cfg] = r
	return r
}

// shared is one receiver behind several component instances. It starts with the
// first of them and stops with the first of them.
type shared struct {
	receiver *networkReceiver
	forget   func()

	start, stop sync.Once
	startErr    error
	hosts       hosts.Hosts
}

var _ component.Component = (*shared)(nil)

// Start implements [component.Component].
func (s *shared) Start(ctx context.Context, host component.Host) error {
	s.hosts.Add(host)
	s.start.Do(func() { s.startErr = s.receiver.start(ctx, s.hosts.Report) })
	return s.startErr
}

// Shutdown implements [component.Component]. The first instance to stop gives the
// error, so that it is told once.
func (s *shared) Shutdown(ctx context.Context) (err error) {
	s.stop.Do(func() {
		s.forget()
		s.hosts.Mute()
		err = s.receiver.shutdown(ctx)
	})
	return err
}
