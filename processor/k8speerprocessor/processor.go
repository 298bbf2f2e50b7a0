// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// peerProcessor watches the cluster and names peers. Records pass it unchanged, or
// with what little is known, whenever the cluster can't be watched.
type peerProcessor struct {
	cfg     *Config
	set     processor.Settings
	connect connectFunc

	traffic  cluster.Traffic
	health   *cluster.Health
	source   source
	resolver resolver
	writer   writer
	waits    waits
	records  [index.Kinds]atomic.Int64

	report     func(*componentstatus.Event)
	cancel     context.CancelFunc
	running    sync.WaitGroup
	unregister func()
	address    net.Addr // of the cache, if this collector has it
}

// source is where what is known of the cluster comes from.
type source interface {
	directory
	// begin gives what there is to do until its context ends.
	begin(context.Context, component.Host) (func(context.Context), error)
	// expire forgets what is too old.
	expire()
	// register makes counters readable that only such a source has.
	register(*metadata.TelemetryBuilder, readFunc) error
	// sizes says how much is held.
	sizes(say func(kind string, n int))
}

func newProcessor(cfg *Config, set processor.Settings, connect connectFunc) *peerProcessor {
	p := &peerProcessor{
		cfg: cfg, set: set, connect: connect,
		writer: writer{
			destination: newKeys(cfg.Prefix.Destination, &cfg.Extract), source: newKeys(cfg.Prefix.Source, &cfg.Extract),
			peerService: cfg.PeerService, domain: canonical(cfg.ClusterDomain), names: newNameSet(cfg.External.MaxNames),
		},
	}
	p.health = cluster.NewHealth(p.healthChanged)
	if cfg.Cache.Ask.HasValue() {
		p.source = newAsked(p, cfg)
	} else {
		p.source = newWatched(p, cfg)
	}
	p.resolver = resolver{directory: p.source, domain: p.writer.domain}
	p.waits = waits{timeout: cfg.Wait.Timeout, syncTimeout: cfg.Wait.SyncTimeout, resolver: &p.resolver, stopped: make(chan struct{})}
	return p
}

func connect(cfg *Config, traffic *cluster.Traffic) (cluster.Clients, error) {
	return cluster.Connection{AuthType: cfg.AuthType, Context: cfg.Context, Owners: cfg.Owners == "watch"}.Connect(traffic)
}

// Start begins to watch, and waits for nothing: a collector starts with or without
// a cluster. The work outlives ctx, which is for the start only.
func (p *peerProcessor) Start(ctx context.Context, host component.Host, report func(*componentstatus.Event)) error {
	unregister, err := p.register()
	if err != nil {
		return fmt.Errorf("create telemetry: %w", err)
	}
	p.report = report
	p.waits.begin()
	run, err := p.source.begin(ctx, host)
	if err != nil {
		unregister()
		return err
	}
	p.unregister = unregister
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.running.Go(func() { run(ctx) })
	p.running.Go(func() { p.expire(ctx) })
	return nil
}

func (p *peerProcessor) Shutdown(context.Context) error {
	p.waits.end()
	if p.cancel != nil {
		p.cancel()
		p.running.Wait()
		p.unregister()
	}
	return nil
}

// healthChanged tells of a change in the contact to the API server.
func (p *peerProcessor) healthChanged(err error) {
	if err == nil {
		p.set.Logger.Info("peers are named by Kubernetes")
		p.report(componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	p.set.Logger.Warn("Kubernetes is not known anew: peers are named by what is known, and it is tried again", zap.Error(err))
	p.report(componentstatus.NewRecoverableErrorEvent(err))
}

// expireInterval is how often the past is looked through for what is too old.
const expireInterval = 10 * time.Second

func (p *peerProcessor) expire(ctx context.Context) {
	t := time.NewTicker(expireInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			p.source.expire()
		}
	}
}
