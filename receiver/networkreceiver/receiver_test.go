// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	otelpipeline "go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

func testFactory(f *fakeSource) receiver.Factory {
	return newFactory(f.factoryFunc(), []dissect.Dissector{idDissector{}})
}

func testConfig() *Config {
	cfg := NewDefaultConfig()
	cfg.Batch.Timeout = 10 * time.Millisecond
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = 5 * time.Millisecond
	return cfg
}

// generator feeds the contract check through the whole pipeline.
type generator struct {
	source *fakeSource
	next   atomic.Int64
}

func (*generator) Start() {}
func (*generator) Stop()  {}

func (g *generator) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprintf("%d", g.next.Add(1))
	g.source.send(idPrefix + id)
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}

func TestConsumeContract(t *testing.T) {
	for _, sig := range []otelpipeline.Signal{otelpipeline.SignalTraces, otelpipeline.SignalLogs} {
		t.Run(sig.String(), func(t *testing.T) {
			f := newFakeSource()
			receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
				T: t, Factory: testFactory(f), Signal: sig, Config: testConfig(),
				Generator: &generator{source: f}, GenerateCount: 500,
			})
		})
	}
}

// both creates the instances of both signals.
func both(t *testing.T, f receiver.Factory, cfg *Config) (traces, logs component.Component, spans *consumertest.TracesSink, records *consumertest.LogsSink) {
	t.Helper()
	spans, records = new(consumertest.TracesSink), new(consumertest.LogsSink)
	set := receivertest.NewNopSettings(metadata.Type)
	traces, err := f.CreateTraces(t.Context(), set, cfg, spans)
	require.NoError(t, err)
	logs, err = f.CreateLogs(t.Context(), set, cfg, records)
	require.NoError(t, err)
	return traces, logs, spans, records
}

func TestSignalsShareOneCapture(t *testing.T) {
	f := newFakeSource()
	traces, logs, spans, records := both(t, testFactory(f), testConfig())
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, logs.Start(t.Context(), componenttest.NewNopHost()))
	f.send(idPrefix + "a")
	require.NoError(t, traces.Shutdown(t.Context()))
	assert.Equal(t, 1, spans.SpanCount(), "shutdown flushes")
	assert.Equal(t, 1, records.LogRecordCount(), "what is behind one signal may stop before the instance of the other")
	assert.Equal(t, 1, f.closed)
	require.NoError(t, logs.Shutdown(t.Context()))
	assert.Equal(t, 1, f.closed)
	span := spans.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	record := records.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, span.TraceID(), record.TraceID())
	assert.Equal(t, span.SpanID(), record.SpanID())
}

func TestShutdownWithoutStartAndTwice(t *testing.T) {
	f := newFakeSource()
	traces, _, _, _ := both(t, testFactory(f), testConfig())
	require.NoError(t, traces.Shutdown(t.Context()))
	require.NoError(t, traces.Shutdown(t.Context()))
	assert.Zero(t, f.closed)
}

// A reload shuts the receiver down and creates one of the same factory, which
// may have the same configuration.
func TestRestart(t *testing.T) {
	f := newFakeSource()
	factory, cfg := testFactory(f), testConfig()
	for i := range 2 {
		traces, _, spans, _ := both(t, factory, cfg)
		require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
		f.send(idPrefix + "a")
		require.NoError(t, traces.Shutdown(t.Context()))
		assert.Equal(t, 1, spans.SpanCount(), "round %d", i)
	}
}

func TestStartFailureKeepsNothingRunning(t *testing.T) {
	f := newFakeSource()
	f.startErr = errors.New("no BTF")
	traces, _, _, _ := both(t, testFactory(f), testConfig())
	require.EqualError(t, traces.Start(t.Context(), componenttest.NewNopHost()), "start capture: no BTF")
	require.NoError(t, traces.Shutdown(t.Context()))
}

// statusHost records the events of one component instance.
type statusHost struct {
	component.Host
	events chan *componentstatus.Event
}

func (h statusHost) Report(e *componentstatus.Event) { h.events <- e }

func TestLiveCaptureThatEndsIsReportedForEachSignal(t *testing.T) {
	f := newFakeSource()
	f.runErr = errors.New("ring gone")
	traces, logs, _, _ := both(t, testFactory(f), testConfig())
	early := statusHost{componenttest.NewNopHost(), make(chan *componentstatus.Event, 1)}
	late := statusHost{componenttest.NewNopHost(), make(chan *componentstatus.Event, 1)}
	require.NoError(t, traces.Start(t.Context(), early))
	first := <-early.events
	assert.Equal(t, componentstatus.StatusPermanentError, first.Status())
	require.ErrorContains(t, first.Err(), "ring gone")
	require.NoError(t, logs.Start(t.Context(), late))
	assert.Equal(t, first, <-late.events)
	require.NoError(t, traces.Shutdown(context.Background()))
	require.NoError(t, logs.Shutdown(context.Background()))
}

// The system's clock is set while a capture runs: timestamps follow it.
func TestClockStep(t *testing.T) {
	f := newFakeSource()
	factory := newFactory(func(*Config, receiver.Settings) (source, error) {
		return source{Source: f, step: func() int64 { return int64(48 * time.Hour) }}, nil
	}, []dissect.Dissector{idDissector{}})
	traces, _, spans, _ := both(t, factory, testConfig())
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	f.send(idPrefix + "a")
	require.NoError(t, traces.Shutdown(t.Context()))
	require.Equal(t, 1, spans.SpanCount())
	span := spans.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	assert.Greater(t, span.StartTimestamp().AsTime(), time.Now().Add(47*time.Hour))
	assert.GreaterOrEqual(t, span.EndTimestamp(), span.StartTimestamp())
}

// The exit status of a replay tells whether everything has been handed on.
func TestRefusedReplayIsAnError(t *testing.T) {
	f := newFakeSource()
	factory := newFactory(func(*Config, receiver.Settings) (source, error) {
		return source{Source: f, finite: true}, nil
	}, []dissect.Dissector{idDissector{}})
	refusing := consumertest.NewErr(consumererror.NewPermanent(errors.New("never")))
	traces, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), testConfig(), refusing)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	f.send(idPrefix + "a")
	require.ErrorContains(t, traces.Shutdown(t.Context()), "1 spans and 0 log records were refused")
}
