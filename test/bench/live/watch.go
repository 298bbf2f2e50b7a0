// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/receiver/networkreceiver"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
)

// children are what this program is when it runs as a child of itself. A watcher
// says "ready" on its standard error when it watches, and on SIGTERM what it has
// seen.
var children = map[string]func(args []string) error{
	"receive": receive, "drain": drain, "sink": sink, "load": generate,
	"secure-serve": secureServe, "secure-load": secureLoad,
}

// seen is what a watcher says at its end.
type seen struct {
	Client, Server, Other uint64 // spans by kind
	Records               uint64 // log records
	Metrics               map[string]int64
}

// untilStopped says that the watcher watches, and waits for the wish to stop.
func untilStopped() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Fprintln(os.Stderr, ready)
	<-stop
}

const ready = "ready"

// next is the next component: it counts.
type next struct{ client, server, other, records atomic.Uint64 }

func (*next) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (n *next) ConsumeTraces(_ context.Context, batch ptrace.Traces) error {
	for _, rs := range batch.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				switch span.Kind() {
				case ptrace.SpanKindClient:
					n.client.Add(1)
				case ptrace.SpanKindServer:
					n.server.Add(1)
				default:
					n.other.Add(1)
				}
			}
		}
	}
	return nil
}

func (n *next) ConsumeLogs(_ context.Context, batch plog.Logs) error {
	n.records.Add(uint64(batch.LogRecordCount()))
	return nil
}

// receive runs the receiver until SIGTERM.
func receive(args []string) error {
	flags := flag.NewFlagSet("receive", flag.ContinueOnError)
	text := flags.String("config", "{}", "the receiver's configuration")
	signals := flags.String("signals", "traces,logs", "what the next component wants")
	profile := flags.String("profile", "", "file for a CPU profile")
	nice := flags.Int("nice", 0, "nice value of all threads")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := syscall.Setpriority(syscall.PRIO_PGRP, 0, *nice); err != nil {
		return fmt.Errorf("set nice value: %w", err)
	}
	reader := sdkmetric.NewManualReader()
	n := &next{}
	components, err := makeReceiver(*text, *signals, reader, n)
	if err != nil {
		return err
	}
	ctx := context.Background()
	for _, c := range components {
		if err := c.Start(ctx, componenttest.NewNopHost()); err != nil {
			return err
		}
	}
	stopProfile, err := startProfile(*profile)
	if err != nil {
		return err
	}
	untilStopped()
	stopProfile()
	metrics, err := readMetrics(ctx, reader)
	addPrograms(metrics)
	addProcess(metrics)
	for _, c := range components {
		err = errors.Join(err, c.Shutdown(ctx))
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(seen{
		Client: n.client.Load(), Server: n.server.Load(), Other: n.other.Load(),
		Records: n.records.Load(), Metrics: metrics,
	}))
}

func makeReceiver(text, signals string, reader sdkmetric.Reader, n *next) ([]component.Component, error) {
	factory := networkreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("parse configuration: %w", err)
	}
	if err := confmap.NewFromStringMap(raw).Unmarshal(cfg); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	set := receivertest.NewNopSettings(factory.Type())
	set.Logger = zap.NewNop()
	set.MeterProvider = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	var components []component.Component
	for signal := range strings.SplitSeq(signals, ",") {
		c, err := makeSignal(factory, signal, set, cfg, n)
		if err != nil {
			return nil, err
		}
		components = append(components, c)
	}
	return components, nil
}

func makeSignal(f receiver.Factory, signal string, set receiver.Settings, cfg component.Config, n *next) (component.Component, error) {
	switch signal {
	case "traces":
		return f.CreateTraces(context.Background(), set, cfg, n)
	case "logs":
		return f.CreateLogs(context.Background(), set, cfg, n)
	}
	return nil, fmt.Errorf("signal %q is not known", signal)
}

func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make folder for profiles: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, fmt.Errorf("start profile: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// readMetrics gives the receiver's own counters, by name and labels.
func readMetrics(ctx context.Context, reader sdkmetric.Reader) (map[string]int64, error) {
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	values := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			}
			for _, p := range points {
				var labels []string
				for _, label := range p.Attributes.ToSlice() {
					if label.Key != "receiver" && label.Key != "transport" {
						labels = append(labels, label.Value.AsString())
					}
				}
				name := strings.TrimPrefix(m.Name, "otelcol_")
				values[strings.TrimPrefix(name, "receiver_network_")+"{"+strings.Join(labels, ",")+"}"] = p.Value
			}
		}
	}
	return values, nil
}

// dropper takes what is in the rings and does nothing with it.
type dropper struct{ segments, bytes, lost uint64 }

func (d *dropper) Segment(s *capture.Segment) {
	d.segments++
	d.bytes += uint64(len(s.Payload))
}
func (*dropper) Owner(uint64, *capture.Process)        {}
func (d *dropper) Lost(n uint64, _ capture.LossReason) { d.lost += n }
func (*dropper) Tick(int64)                            {}

// drain is an empty reader of the same rings, filled by the same programs.
func drain(args []string) error {
	flags := flag.NewFlagSet("drain", flag.ContinueOnError)
	port := flags.Int("port", 0, "the only port to capture")
	shards := flags.Int("shards", 2, "rings")
	secure := flags.Bool("tls", false, "place probes in TLS libraries")
	if err := flags.Parse(args); err != nil {
		return err
	}
	settings := ebpf.Settings{Shards: *shards, Include: ebpf.Filter{Ports: []uint16{uint16(*port)}}, TLS: ebpf.TLS{Enabled: *secure}}
	source := ebpf.New(settings, zap.NewNop(), &ebpf.Stats{})
	if err := source.Start(context.Background()); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	droppers, errs := make([]dropper, *shards), make([]error, *shards)
	var wg sync.WaitGroup
	for i := range droppers {
		wg.Go(func() { errs[i] = source.Run(ctx, i, &droppers[i]) })
	}
	untilStopped()
	stop()
	wg.Wait()
	s := seen{Metrics: map[string]int64{}}
	addPrograms(s.Metrics)
	addProcess(s.Metrics)
	for i := range droppers {
		s.Metrics["segments{}"] += int64(droppers[i].segments)
		s.Metrics["lost_records{ring_full}"] += int64(droppers[i].lost)
	}
	return errors.Join(errors.Join(errs...), source.Close(), json.NewEncoder(os.Stdout).Encode(s))
}

// startWatcher starts this program as one of its watchers, and waits until it
// watches.
func startWatcher(g *group, env []string, args ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	p, err := start(g, env, self, args...)
	if err != nil {
		return nil, err
	}
	return p, p.await(ready, 20*time.Second)
}
