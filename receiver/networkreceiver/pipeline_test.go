// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/internal/metadata"
)

// oneAfterTheOther has a file for each shard. The second one is read when something of the
// first has been handed over, or is not to be expected any more.
type oneAfterTheOther struct {
	files      []*pcap.Source
	handedOver chan struct{}
}

func (s *oneAfterTheOther) Shards() int { return len(s.files) }

func (s *oneAfterTheOther) Start(ctx context.Context) error {
	for _, f := range s.files {
		if err := f.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *oneAfterTheOther) Run(ctx context.Context, shard int, h capture.Handler) error {
	if shard > 0 {
		select {
		case <-s.handedOver:
		case <-time.After(200 * time.Millisecond):
		}
	}
	return s.files[shard].Run(ctx, 0, h)
}

func (s *oneAfterTheOther) Close() (err error) {
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// TestLookupOfTheLastCall: the last call of one shard is linked to its lookup, which another
// shard has read later.
func TestLookupOfTheLastCall(t *testing.T) {
	dir := t.TempDir()
	calls, lookups := filepath.Join(dir, "calls.pcap"), filepath.Join(dir, "lookups.pcap")
	testkit.WritePcap(t, calls, []string{"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"})
	testkit.WriteLookup(t, lookups, "files.shop.example")
	src := &oneAfterTheOther{handedOver: make(chan struct{})}
	for _, name := range []string{calls, lookups} {
		src.files = append(src.files, pcap.New(pcap.Settings{Files: []string{name}, Shards: 1}, zap.NewNop(), new(pcap.Stats)))
	}
	spans := new(consumertest.TracesSink)
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if spans.SpanCount() == 0 {
			close(src.handedOver)
		}
		return spans.ConsumeTraces(ctx, td)
	})
	require.NoError(t, err)
	factory := newFactory(func(*Config, receiver.Settings) (source, error) { return source{Source: src, finite: true}, nil }, registry.All())
	traces, err := factory.CreateTraces(t.Context(), receivertest.NewNopSettings(metadata.Type), NewDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, traces.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return spans.SpanCount() == 2 }, testkit.Patience, time.Millisecond, "the call and the lookup")
	require.NoError(t, traces.Shutdown(t.Context()))
	linked := 0
	for _, td := range spans.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					linked += span.Links().Len()
				}
			}
		}
	}
	assert.Equal(t, 1, linked)
}
