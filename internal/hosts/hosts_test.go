// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

type host struct{ events []*componentstatus.Event }

func (*host) GetExtensions() map[component.ID]component.Component { return nil }
func (h *host) Report(e *componentstatus.Event)                   { h.events = append(h.events, e) }

func TestEveryInstanceHears(t *testing.T) {
	var hosts Hosts
	early, late := &host{}, &host{}
	hosts.Add(early)
	ok := componentstatus.NewEvent(componentstatus.StatusOK)
	bad := componentstatus.NewRecoverableErrorEvent(errors.New("no cluster"))
	hosts.Report(bad)
	hosts.Report(ok)
	hosts.Add(late)
	assert.Equal(t, []*componentstatus.Event{bad, ok}, early.events)
	assert.Equal(t, []*componentstatus.Event{ok}, late.events, "the last event only")

	hosts.Mute()
	hosts.Report(bad)
	assert.Len(t, early.events, 2)
	assert.Len(t, late.events, 1)
}
