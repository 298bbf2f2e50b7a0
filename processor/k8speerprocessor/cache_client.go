// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/peercache"
)

// asked is a directory that another collector has, which is asked for what is seen
// here.
type asked struct {
	*index.Replica
	*peercache.Client

	processor *peerProcessor
}

func newAsked(p *peerProcessor, cfg *Config) *asked {
	r := index.NewReplica(cfg.History.PerAddress, cfg.Cache.MaxKeys)
	return &asked{Replica: r, Client: peercache.NewClient(r, p.health.Contact("cache"), cfg.Extract.Labels.selection()), processor: p}
}

// connectTimeout bounds an attempt to reach the cache. A Service without a pod behind it may
// not answer at all, and gRPC would wait 20 seconds for that.
const connectTimeout = 5 * time.Second

// begin connects, and gives what there is to do until the end.
func (a *asked) begin(ctx context.Context, host component.Host) (func(context.Context), error) {
	p := a.processor
	conn, err := p.cfg.Cache.Ask.Get().ToClientConn(ctx, host.GetExtensions(), p.set.TelemetrySettings,
		configgrpc.WithGrpcDialOption(grpc.WithUserAgent("wirespan-k8s-peer")),
		configgrpc.WithGrpcDialOption(grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: connectTimeout})))
	if err != nil {
		return nil, fmt.Errorf("connect to cache: %w", err)
	}
	return func(ctx context.Context) {
		a.Run(ctx, conn)
		_ = conn.Close()
	}, nil
}

func (a *asked) expire() {
	a.Forget(time.Now().Add(-a.processor.cfg.History.Retention).UnixNano())
}

func (a *asked) sizes(say func(kind string, n int)) {
	keys, _ := a.Sizes()
	say("keys", keys)
}

// selection is what of labels is written, as caches and those who ask tell each other.
func (c *LabelsConfig) selection() peercache.Selection {
	return peercache.Selection{Pod: c.Pod, Service: c.Service, Node: c.Node}
}
