// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configgrpc"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/peercache"
)

// watched is a directory that follows the API server, and may serve others.
type watched struct {
	*index.Index
	*index.Networks
	*cluster.Watcher

	processor *peerProcessor
	model     *cluster.Model
	server    *peercache.Server // nil: nobody is served
}

func newWatched(p *peerProcessor, cfg *Config) *watched {
	x, networks := index.New(cfg.History.PerAddress, cfg.History.Max), &index.Networks{}
	model := cluster.NewModel(cluster.Settings{
		PodLabels: cfg.Extract.Labels.Pod, ServiceLabels: cfg.Extract.Labels.Service, NodeLabels: cfg.Extract.Labels.Node,
		Annotations: cfg.OTelAnnotations, Networks: cfg.networks(), Retention: cfg.History.Retention,
	}, x, networks)
	w := &watched{Index: x, Networks: networks, Watcher: cluster.NewWatcher(model, p.health), processor: p, model: model}
	if cfg.Cache.Serve.HasValue() {
		w.server = peercache.NewServer(x, networks, w.Synced, cfg.Extract.Labels.selection(), cfg.Cache.MaxKeys, cfg.Cache.MaxSubscriptions)
	}
	return w
}

// Answering implements [directory]: nothing is pending here.
func (w *watched) Answering() bool { return true }

// begin serves, and gives what there is to do until the end.
func (w *watched) begin(ctx context.Context, host component.Host) (func(context.Context), error) {
	end := func() {}
	if w.server != nil {
		var err error
		if end, err = w.serve(ctx, host); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) {
		defer end()
		w.follow(ctx)
	}, nil
}

// follow connects, and watches until the end.
func (w *watched) follow(ctx context.Context) {
	p := w.processor
	for interval := time.Second; ; interval = min(2*interval, time.Minute) {
		clients, err := p.connect(p.cfg, &p.traffic)
		switch {
		case err == nil:
			w.Run(ctx, clients)
			return
		case errors.Is(err, cluster.ErrNoCluster):
			p.waits.giveUp()
			p.set.Logger.Warn("not in a Kubernetes pod: peers are not named by Kubernetes (auth_type kubeConfig works from outside)")
			p.report(componentstatus.NewPermanentErrorEvent(err))
			<-ctx.Done()
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

// serve lets other collectors ask, until the function that it gives is called.
func (w *watched) serve(ctx context.Context, host component.Host) (func(), error) {
	p, c := w.processor, w.processor.cfg.Cache.Serve.Get()
	options := make([]configgrpc.ToServerOption, 0, 3)
	for _, o := range peercache.Options() {
		options = append(options, configgrpc.WithGrpcServerOption(o))
	}
	server, err := c.ToServer(ctx, host.GetExtensions(), p.set.TelemetrySettings, options...)
	if err != nil {
		return nil, fmt.Errorf("create server of cache: %w", err)
	}
	listener, err := c.NetAddr.Listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("serve cache: %w", err)
	}
	w.server.Register(server)
	p.address = listener.Addr()
	p.running.Go(func() { _ = server.Serve(listener) }) // it ends with Stop
	return server.Stop, nil
}

func (w *watched) expire() { w.model.Expire() }

func (w *watched) sizes(say func(kind string, n int)) {
	pods, services, slices, nodes := w.model.Sizes()
	keys, past := w.Sizes()
	say("pods", pods)
	say("services", services)
	say("endpoint_slices", slices)
	say("nodes", nodes)
	say("keys", keys)
	say("past", past)
}
