// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// Config is the receiver's configuration. The zero value of every optional block
// is filled by [NewDefaultConfig]; `network: {}` captures everything on the node.
type Config struct {
	// Workers is the number of shards, each with its own ring and goroutine.
	Workers int `mapstructure:"workers"`
	// Capture chooses where traffic comes from: ebpf (the default) or pcap.
	Capture CaptureConfig `mapstructure:"capture"`
	// Connections bounds the connection tables.
	Connections ConnectionsConfig `mapstructure:"connections"`
	// Protocols has a block for each protocol.
	Protocols ProtocolsConfig `mapstructure:"protocols"`
	// Streams says what is told of calls while they run.
	Streams StreamsConfig `mapstructure:"streams"`
	// Payload says how much of headers and bodies is exported, and where. It is
	// for all protocols that have no payload block of their own.
	Payload PayloadConfig `mapstructure:"payload"`
	// Logs says what log records have.
	Logs LogsConfig `mapstructure:"logs"`
	// Redaction removes secrets before anything leaves the receiver.
	Redaction RedactionConfig `mapstructure:"redaction"`
	// Resource says how processes are named.
	Resource ResourceConfig `mapstructure:"resource"`
	// Trace says how calls join traces.
	Trace TraceConfig `mapstructure:"trace"`
	// Routes says how the paths of URLs become templates.
	Routes RoutesConfig `mapstructure:"routes"`
	// Lookups links calls to the lookups of names that served them.
	Lookups LookupsConfig `mapstructure:"lookups"`
	// Memory is the budget of everything the receiver holds.
	Memory MemoryConfig `mapstructure:"memory"`
	// Batch says when finished records are handed to the next component.
	Batch BatchConfig `mapstructure:"batch"`
	// Queue holds finished records while the next component refuses them.
	Queue QueueConfig `mapstructure:"queue"`
	// RetryOnFailure says how refused records are tried again.
	RetryOnFailure configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// ShutdownTimeout is how long a live capture that stops goes on handing over
	// what is finished. The Collector itself sets no bound.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	_ struct{}
}

// ConnectionsConfig bounds what is held of connections, per worker.
type ConnectionsConfig struct {
	Max          int           `mapstructure:"max"`
	IdleTimeout  time.Duration `mapstructure:"idle_timeout"`
	HeldBytes    ByteSize      `mapstructure:"held_bytes"`    // out-of-order bytes per direction
	HeldSegments int           `mapstructure:"held_segments"` // out-of-order segments per direction

	_ struct{}
}

// StreamsConfig says what is told of calls while they run.
type StreamsConfig struct {
	// OpenAfter is after how long a log record says of a call that it is still open; 0
	// for never.
	OpenAfter time.Duration `mapstructure:"open_after"`

	_ struct{}
}

// PayloadConfig says what is exported of headers and bodies.
type PayloadConfig struct {
	// Enabled is the one line that turns payload capture off.
	Enabled bool `mapstructure:"enabled"`
	// SpanPreview is how much of each body goes onto the span; 0 for none.
	SpanPreview ByteSize `mapstructure:"span_preview"`
	// SpanHeaders puts headers onto spans.
	SpanHeaders bool `mapstructure:"span_headers"`
	// Placement of the payload in log records: body or attributes.
	Placement Placement `mapstructure:"placement"`
	// IncludeMediaTypes keeps only bodies of these types ("application/json",
	// "text/*"); empty keeps all.
	IncludeMediaTypes []string `mapstructure:"include_media_types"`
	// ExcludeMediaTypes keeps no bodies of these types.
	ExcludeMediaTypes []string `mapstructure:"exclude_media_types"`

	_ struct{}
}

// Placement of a payload in a log record.
type Placement string

// Values of Placement.
const (
	PlacementBody       Placement = "body"
	PlacementAttributes Placement = "attributes"
)

// RedactionConfig lists what is redacted besides the built-in lists.
type RedactionConfig struct {
	Enabled         bool     `mapstructure:"enabled"`
	Headers         []string `mapstructure:"headers"`
	QueryParameters []string `mapstructure:"query_parameters"`
	BodyKeys        []string `mapstructure:"body_keys"`
	// Allow names headers, query parameters and body keys that stay readable
	// although a list names them.
	Allow []string `mapstructure:"allow"`

	_ struct{}
}

// LogsConfig says what log records have.
type LogsConfig struct {
	// Lean leaves out of log records what is on their spans. It has no effect without a
	// pipeline of traces.
	Lean bool `mapstructure:"lean"`

	_ struct{}
}

// RoutesConfig says how the paths of URLs become templates: url.template, http.route, and
// the names of spans.
type RoutesConfig struct {
	// Learn makes templates of what paths look like and of what was seen.
	Learn bool `mapstructure:"learn"`
	// Templates come before those that are learned: [HOST]/users/{name}/{rest...}, as in
	// net/http.
	Templates []string `mapstructure:"templates"`

	_ struct{}
}

// LookupsConfig bounds which lookups of names are remembered, for the calls that they
// serve.
type LookupsConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// MaxAge is how long after a lookup a connection can be opened that it served. The
	// answer's own time to live does not count: processes keep addresses for longer.
	MaxAge time.Duration `mapstructure:"max_age"`
	// Max is the number of lookups of all processes together.
	Max int `mapstructure:"max"`

	_ struct{}
}

// ResourceConfig says how processes are named.
type ResourceConfig struct {
	// ServiceName says where service.name comes from: process (what it declares in its
	// environment, else, outside containers, its name), or none to leave it to later
	// components.
	ServiceName telemetry.ServiceName `mapstructure:"service_name"`

	_ struct{}
}

// TraceConfig says how calls without a trace context join.
type TraceConfig struct {
	// CapturedPeers are the addresses of other nodes that run Wirespan: a call
	// from there has its CLIENT span there, and the SERVER span here names it as
	// its parent.
	CapturedPeers []string `mapstructure:"captured_peers"`

	_ struct{}
}

// MemoryConfig is the memory budget.
type MemoryConfig struct {
	Limit ByteSize `mapstructure:"limit"`

	_ struct{}
}

// BatchConfig says when records are handed on.
type BatchConfig struct {
	Timeout    time.Duration `mapstructure:"timeout"`
	MaxRecords int           `mapstructure:"max_records"`
	MaxBytes   ByteSize      `mapstructure:"max_bytes"`

	_ struct{}
}

// QueueConfig bounds the batches that wait for the next component.
type QueueConfig struct {
	Batches int `mapstructure:"batches"`
	// SlowCall is from which duration on a call is slow. Slow and failed calls
	// are kept longest.
	SlowCall time.Duration `mapstructure:"slow_call"`

	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)

	_ confmap.Unmarshaler = (*Config)(nil)
)

// Unmarshal implements [confmap.Unmarshaler]: the payload block of a protocol
// begins as a copy of the general one.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	general := struct {
		Payload *PayloadConfig `mapstructure:"payload"`
	}{&c.Payload}
	if err := conf.Unmarshal(&general, confmap.WithIgnoreUnused()); err != nil {
		return err
	}
	for name, protocol := range c.Protocols {
		if conf.IsSet("protocols::" + name + "::payload") {
			own := c.Payload
			protocol.Payload = &own
		}
	}
	return conf.Unmarshal(c)
}

// Validate implements [confmap.Validator].
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(c.Workers >= 1 && c.Workers <= ebpf.MaxShards, "workers must be between 1 and %d, is %d", ebpf.MaxShards, c.Workers)
	check(!c.Capture.EBPF.HasValue() || !c.Capture.Pcap.HasValue(), "capture: choose one of ebpf and pcap")
	check(c.Memory.Limit >= 16<<20, "memory::limit must be at least 16MiB, is %v", c.Memory.Limit)
	check(c.Lookups.MaxAge > 0, "lookups::max_age must be positive, is %v", c.Lookups.MaxAge)
	check(c.Lookups.Max > 0, "lookups::max must be positive, is %d", c.Lookups.Max)
	check(c.Batch.Timeout > 0, "batch::timeout must be positive")
	check(c.Batch.MaxRecords > 0, "batch::max_records must be positive")
	check(c.Batch.MaxBytes > 0, "batch::max_bytes must be positive")
	check(c.Queue.Batches > 0, "queue::batches must be positive")
	check(c.Queue.SlowCall > 0, "queue::slow_call must be positive, is %v", c.Queue.SlowCall)
	check(c.Streams.OpenAfter >= 0, "streams::open_after must not be negative, is %v", c.Streams.OpenAfter)
	check(c.ShutdownTimeout > 0, "shutdown_timeout must be positive, is %v", c.ShutdownTimeout)
	check(c.Resource.ServiceName == telemetry.ServiceNameProcess || c.Resource.ServiceName == telemetry.ServiceNameNone,
		"resource::service_name must be process or none, is %q", c.Resource.ServiceName)
	if _, err := prefixes(c.Trace.CapturedPeers); err != nil {
		errs = append(errs, fmt.Errorf("trace::captured_peers: %w", err))
	}
	return errors.Join(errs...)
}

// Validate implements [confmap.Validator].
func (c *ConnectionsConfig) Validate() error {
	if c.Max < 1 || c.IdleTimeout <= 0 || c.HeldBytes < 1 || c.HeldSegments < 1 {
		return errors.New("max, idle_timeout, held_bytes and held_segments must be positive")
	}
	return nil
}

// Validate implements [confmap.Validator].
func (c *PayloadConfig) Validate() error {
	if c.SpanPreview < 0 {
		return errors.New("span_preview must not be negative")
	}
	if c.Placement != PlacementBody && c.Placement != PlacementAttributes {
		return fmt.Errorf("placement must be body or attributes, is %q", c.Placement)
	}
	for _, pattern := range slices.Concat(c.IncludeMediaTypes, c.ExcludeMediaTypes) {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("media type %q: %w", pattern, err)
		}
	}
	return nil
}

// Validate implements [confmap.Validator].
func (c *RoutesConfig) Validate() error { return route.Check(c.Templates) }

// NewDefaultConfig gives the configuration that `network: {}` means.
func NewDefaultConfig() *Config {
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = time.Second
	return &Config{
		Workers: min(runtime.NumCPU(), 4),
		Capture: CaptureConfig{
			EBPF: configoptional.Default(EBPFConfig{RingSize: ebpf.DefaultRingBytes, LocalCalls: SidesBoth, TLS: TLSConfig{Enabled: true}, NAT: NATConfig{Enabled: true}}),
			Pcap: configoptional.Default(PcapConfig{OnEnd: OnEndWait, Spans: SidesClient, Merge: true}),
		},
		Connections: defaultConnections(),
		Protocols:   defaultProtocols(),
		Streams:     StreamsConfig{OpenAfter: 10 * time.Second},
		Payload: PayloadConfig{
			Enabled:     true,
			SpanPreview: 1 << 10,
			SpanHeaders: true,
			Placement:   PlacementBody,
		},
		Redaction:      RedactionConfig{Enabled: true},
		Resource:       ResourceConfig{ServiceName: telemetry.ServiceNameProcess},
		Routes:         RoutesConfig{Learn: true},
		Lookups:        LookupsConfig{Enabled: true, MaxAge: 2 * time.Minute, Max: 8192},
		Memory:         MemoryConfig{Limit: 256 << 20},
		Batch:          BatchConfig{Timeout: 200 * time.Millisecond, MaxRecords: 1000, MaxBytes: 2 << 20},
		Queue:          QueueConfig{Batches: 64, SlowCall: time.Second},
		RetryOnFailure: retry,

		ShutdownTimeout: 10 * time.Second,
	}
}
