// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sharedcomponent

import (
	"context"
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
	var all hosts
	early, late := &host{}, &host{}
	all.add(early)
	ok := componentstatus.NewEvent(componentstatus.StatusOK)
	bad := componentstatus.NewRecoverableErrorEvent(errors.New("no cluster"))
	all.report(bad)
	all.report(ok)
	all.add(late)
	assert.Equal(t, []*componentstatus.Event{bad, ok}, early.events)
	assert.Equal(t, []*componentstatus.Event{ok}, late.events, "the last event only")

	all.mute()
	all.report(bad)
	assert.Len(t, early.events, 2)
	assert.Len(t, late.events, 1)
}

type counting struct {
	starts, stops int
	err           error
}

func (c *counting) Start(context.Context, component.Host, func(*componentstatus.Event)) error {
	c.starts++
	return c.err
}

func (c *counting) Shutdown(context.Context) error {
	c.stops++
	return c.err
}

func TestOneComponentForAllInstances(t *testing.T) {
	var m Map[string, *counting]
	create := func() *counting { return &counting{} }
	traces, logs, unused := m.Instance("a", create), m.Instance("a", create), m.Instance("a", create)
	other := m.Instance("b", create)
	assert.Same(t, traces.Unwrap(), logs.Unwrap())
	assert.NotSame(t, traces.Unwrap(), other.Unwrap())
	for _, i := range []*Instance[*counting]{traces, logs, logs} {
		assert.NoError(t, i.Start(t.Context(), &host{}))
	}
	assert.Equal(t, counting{starts: 1}, *traces.Unwrap())
	assert.NoError(t, unused.Shutdown(t.Context()), "was never started")
	assert.NoError(t, logs.Shutdown(t.Context()))
	assert.NoError(t, logs.Shutdown(t.Context()), "may be repeated")
	assert.Equal(t, counting{starts: 1}, *traces.Unwrap(), "traces still run")
	traces.Unwrap().err = errors.New("cannot flush")
	assert.EqualError(t, traces.Shutdown(t.Context()), "cannot flush")
	assert.Equal(t, 1, traces.Unwrap().stops)
	assert.NotSame(t, traces.Unwrap(), m.Instance("a", create).Unwrap(), "a new one after the end")
}

func TestStopsWithFirst(t *testing.T) {
	m := Map[string, *counting]{StopsWithFirst: true}
	create := func() *counting { return &counting{err: errors.New("cannot flush")} }
	traces, logs := m.Instance("a", create), m.Instance("a", create)
	for _, i := range []*Instance[*counting]{traces, logs} {
		assert.Error(t, i.Start(t.Context(), &host{}))
	}
	assert.Error(t, logs.Shutdown(t.Context()))
	assert.Equal(t, 1, logs.Unwrap().stops)
	assert.NoError(t, traces.Shutdown(t.Context()), "the error is told once")
	assert.Equal(t, 1, logs.Unwrap().stops)
}
