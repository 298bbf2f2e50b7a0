// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// handoffTime is how long the programs of a closed source wait for the next one.
// A collector that reloads its configuration needs well below a second.
const handoffTime = 30 * time.Second

// handoffs is where the kernel's half of a source waits between two sources. A
// process that has given its privileges away can not load and attach again: a
// reload of the configuration closes one source and starts another, and takes
// the programs over. What they capture in between waits in the rings.
var handoffs struct {
	mu       sync.Mutex
	occupied bool
	settings Settings
	kernel   *kernel
	timeout  *time.Timer
}

// gaveAway is set once the process has dropped its privileges.
var gaveAway atomic.Bool

func handOff(settings Settings, k *kernel) {
	handoffs.mu.Lock()
	defer handoffs.mu.Unlock()
	clearHandoffs()
	handoffs.occupied, handoffs.settings, handoffs.kernel = true, settings, k
	handoffs.timeout = time.AfterFunc(handoffTime, func() {
		handoffs.mu.Lock()
		defer handoffs.mu.Unlock()
		clearHandoffs()
	})
}

// clearHandoffs closes what is handed off. handoffs.mu must be held. There is nobody
// to tell an error to, and nothing to do about one: the file descriptors are
// gone in any case.
func clearHandoffs() {
	if handoffs.occupied {
		handoffs.timeout.Stop()
		_ = handoffs.kernel.close()
	}
	handoffs.occupied, handoffs.settings, handoffs.kernel = false, Settings{}, nil
}

// takeOver takes over what an earlier source with the same settings has handed off.
func (s *Source) takeOver() bool {
	handoffs.mu.Lock()
	defer handoffs.mu.Unlock()
	if !handoffs.occupied || !reflect.DeepEqual(handoffs.settings, s.settings) {
		return false
	}
	handoffs.timeout.Stop()
	s.kernel, s.unprivileged = handoffs.kernel, true
	handoffs.occupied, handoffs.kernel = false, nil
	s.processes.stats = s.stats
	s.trims.clear() // the connections that asked for it are followed no more
	s.logger.Info("capturing live traffic with the programs that are attached", zap.Int("shards", s.settings.Shards))
	return true
}
