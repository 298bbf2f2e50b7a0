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

// parkingTime is how long the programs of a closed source wait for the next one.
// A collector that reloads its configuration needs well below a second.
const parkingTime = 30 * time.Second

// parking is where the kernel's half of a source waits between two sources. A
// process that has given its privileges away can not load and attach again: a
// reload of the configuration closes one source and starts another, and takes
// the programs over. What they capture in between waits in the rings.
var parking struct {
	mu       sync.Mutex
	occupied bool
	settings Settings
	kernel   *kernel
	timeout  *time.Timer
}

// gaveAway is set once the process has dropped its privileges.
var gaveAway atomic.Bool

func park(settings Settings, k *kernel) {
	parking.mu.Lock()
	defer parking.mu.Unlock()
	clearParking()
	parking.occupied, parking.settings, parking.kernel = true, settings, k
	parking.timeout = time.AfterFunc(parkingTime, func() {
		parking.mu.Lock()
		defer parking.mu.Unlock()
		clearParking()
	})
}

// clearParking closes what is parked. parking.mu must be held. There is nobody
// to tell an error to, and nothing to do about one: the file descriptors are
// gone in any case.
func clearParking() {
	if parking.occupied {
		parking.timeout.Stop()
		_ = parking.kernel.close()
	}
	parking.occupied, parking.settings, parking.kernel = false, Settings{}, nil
}

// adopt takes over what an earlier source with the same settings has parked.
func (s *Source) adopt() bool {
	parking.mu.Lock()
	defer parking.mu.Unlock()
	if !parking.occupied || !reflect.DeepEqual(parking.settings, s.settings) {
		return false
	}
	parking.timeout.Stop()
	s.kernel, s.unprivileged = parking.kernel, true
	parking.occupied, parking.kernel = false, nil
	s.processes.stats = s.stats
	s.trims.clear() // the connections that asked for it are followed no more
	s.logger.Info("capturing live traffic with the programs that are attached", zap.Int("shards", s.settings.Shards))
	return true
}
