// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// peerProcessor watches the cluster and names peers. Records pass it unchanged, or
// with what little is known, whenever the cluster can't be watched.
type peerProcessor struct {
	cfg     *Config
	set     processor.Settings
	connect connectFunc

	model    *cluster.Model
	index    *index.Index
	traffic  cluster.Traffic
	watcher  *cluster.Watcher
	health   *cluster.Health
	resolver resolver
	writer   writer
	waits    waits
	records  [index.Kinds]atomic.Int64

	report     func(*componentstatus.Event)
	cancel     context.CancelFunc
	running    sync.WaitGroup
	unregister func()
}

func newProcessor(cfg *Config, set processor.Settings, connect connectFunc) *peerProcessor {
	x, networks := index.New(cfg.History.PerAddress, cfg.History.Max), &index.Networks{}
	p := &peerProcessor{
		cfg: cfg, set: set, connect: connect, index: x,
		model: cluster.NewModel(cluster.Settings{
			PodLabels: cfg.Extract.Labels.Pod, ServiceLabels: cfg.Extract.Labels.Service, NodeLabels: cfg.Extract.Labels.Node,
			Annotations: cfg.OTelAnnotations, Networks: cfg.networks(), Retention: cfg.History.Retention,
		}, x, networks),
		writer: writer{
			destination: newKeys(cfg.Prefix.Destination, &cfg.Extract), source: newKeys(cfg.Prefix.Source, &cfg.Extract),
			peerService: cfg.PeerService, domain: canonical(cfg.ClusterDomain), names: newNameSet(cfg.External.MaxNames),
		},
	}
	p.health = cluster.NewHealth(p.healthChanged)
	p.watcher = cluster.NewWatcher(p.model, p.health)
	p.resolver = resolver{index: x, networks: networks, synced: p.watcher.Synced, domain: p.writer.domain}
	p.waits = waits{timeout: cfg.Wait.Timeout, syncTimeout: cfg.Wait.SyncTimeout, resolver: &p.resolver, stopped: make(chan struct{})}
	return p
}

func connect(cfg *Config, traffic *cluster.Traffic) (cluster.Clients, error) {
	return cluster.Connection{AuthType: cfg.AuthType, Context: cfg.Context, Owners: cfg.Owners == "watch"}.Connect(traffic)
}

// start begins to watch, and waits for nothing: a collector starts with or without
// a cluster. The work outlives ctx, which is for the start only.
func (p *peerProcessor) start(ctx context.Context, report func(*componentstatus.Event)) error {
	unregister, err := p.register()
	if err != nil {
		return fmt.Errorf("create telemetry: %w", err)
	}
	p.unregister, p.report = unregister, report
	p.waits.begin()
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.running.Go(func() { p.watch(ctx) })
	p.running.Go(func() { p.expire(ctx) })
	return nil
}

func (p *peerProcessor) shutdown(context.Context) error {
	p.waits.end()
	if p.cancel != nil {
		p.cancel()
		p.running.Wait()
		p.unregister()
	}
	return nil
}

// watch connects, and watches until the end.
func (p *peerProcessor) watch(ctx context.Context) {
	for interval := time.Second; ; interval = min(2*interval, time.Minute) {
		clients, err := p.connect(p.cfg, &p.traffic)
		switch {
		case err == nil:
			p.watcher.Run(ctx, clients)
			return
		case errors.Is(err, cluster.ErrNoCluster):
			p.waits.giveUp()
			p.set.Logger.Warn("not in a Kubernetes pod: peers are not named by Kubernetes (auth_type kubeConfig works from outside)")
			p.report(componentstatus.NewPermanentErrorEvent(err))
			return
		}
		p.healthChanged(fmt.Errorf("connect to Kubernetes: %w", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// healthChanged tells of a change in the contact to the API server.
func (p *peerProcessor) healthChanged(err error) {
	if err == nil {
		p.set.Logger.Info("watching Kubernetes")
		p.report(componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	p.set.Logger.Warn("watching Kubernetes fails: peers are named by what is known, and it is tried again", zap.Error(err))
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
			p.model.Expire()
		}
	}
}
