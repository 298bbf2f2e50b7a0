// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts reports the status of one component for all of its instances: the
// collector makes one for each signal and pipeline, each with a host of its own.
package hosts // import "github.com/wirespan/wirespan/internal/hosts"

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Hosts are the hosts of all instances. The zero value has none.
type Hosts struct {
	mu    sync.Mutex
	hosts []component.Host
	last  *componentstatus.Event
	muted bool
}

// Add adds an instance's host, and tells it what the others have heard last.
func (h *Hosts) Add(host component.Host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hosts = append(h.hosts, host)
	if h.last != nil {
		componentstatus.ReportStatus(host, h.last)
	}
}

// Report reports an event for every instance.
func (h *Hosts) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.muted {
		return
	}
	h.last = event
	for _, host := range h.hosts {
		componentstatus.ReportStatus(host, event)
	}
}

// Mute ends reporting: components do not report while they shut down.
func (h *Hosts) Mute() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
}
