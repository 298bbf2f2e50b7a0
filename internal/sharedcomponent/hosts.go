// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sharedcomponent

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// hosts are the hosts of all instances: each signal and pipeline has one of its own. The
// zero value has none.
type hosts struct {
	mu    sync.Mutex
	hosts []component.Host
	last  *componentstatus.Event
	muted bool
}

// add adds an instance's host, and tells it what the others have heard last.
func (h *hosts) add(host component.Host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hosts = append(h.hosts, host)
	if h.last != nil {
		componentstatus.ReportStatus(host, h.last)
	}
}

// report reports an event for every instance.
func (h *hosts) report(event *componentstatus.Event) {
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

// mute ends reporting: components do not report while they shut down.
func (h *hosts) mute() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.muted = true
}
