// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"os"

	"github.com/wirespan/wirespan/internal/budget"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// The functions here turn the user's YAML into the settings of the stages.

func connSettings(cfg *Config) conn.Settings {
	s := conn.DefaultSettings()
	s.MaxConnections = cfg.Connections.Max
	s.TCPIdleTimeout = cfg.Connections.IdleTimeout
	s.MaxHeldBytes = int(cfg.Connections.HeldBytes)
	s.MaxHeldSegments = cfg.Connections.HeldSegments
	s.SessionBytes = engine.StreamBytes + telemetry.ConnectionBytes
	s.OwnPID = int32(os.Getpid())
	return s
}

func defaultConnections() ConnectionsConfig {
	s := conn.DefaultSettings()
	return ConnectionsConfig{
		Max:          s.MaxConnections,
		IdleTimeout:  s.TCPIdleTimeout,
		HeldBytes:    ByteSize(s.MaxHeldBytes),
		HeldSegments: s.MaxHeldSegments,
	}
}

func engineSettings(cfg *Config) engine.Settings {
	limits := map[string]dissect.Limits{}
	for name, p := range cfg.Protocols {
		if !p.carried {
			limits[name] = p.limits()
		}
	}
	return engine.Settings{Limits: limits}
}

func telemetrySettings(r *networkReceiver) telemetry.Settings {
	cfg := r.cfg
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	peers, _ := prefixes(cfg.Trace.CapturedPeers) // Validate has looked at them
	s := telemetry.DefaultSettings()
	s.Traces, s.Logs = r.nextTraces != nil, r.nextLogs != nil
	s.LeanLogs = cfg.Logs.Lean
	s.Version = r.set.BuildInfo.Version
	s.HostName = host
	s.CapturedPeers = peers
	s.Lookups = r.lookups
	s.Forwards = r.forwards
	s.Routes = r.routes
	s.Translator, _ = r.source.Source.(capture.Translator)
	s.Payload = payloadSettings(&cfg.Payload, telemetry.DefaultPayload().MaxBody)
	s.Protocols = map[string]telemetry.Payload{}
	for name, p := range cfg.Protocols {
		if !p.carried {
			s.Protocols[name] = p.payload(&cfg.Payload)
		}
	}
	s.ServiceName = cfg.Resource.ServiceName
	s.Redaction = redactSettings(&cfg.Redaction)
	s.ClockStep = r.source.step
	s.Abandoned = r.late.Load
	s.Batch = batchSettings(cfg)
	if !r.source.finite { // a source that waits drops nothing, and keeps the order
		s.SlowCall = cfg.Queue.SlowCall
	}
	if pcap := cfg.Capture.Pcap.Get(); pcap != nil {
		s.FileSpans = telemetry.Ends(pcap.Spans)
	}
	return s
}

func newRoutes(cfg *Config, memory *budget.Budget) *route.Table {
	return route.New(route.Settings{
		Learn:     cfg.Routes.Learn,
		Templates: cfg.Routes.Templates,
		Secret:    redact.New(redactSettings(&cfg.Redaction)).Names,
	}, memory)
}

// payload says what is exported of one protocol.
func (c *ProtocolConfig) payload(general *PayloadConfig) telemetry.Payload {
	if c.Payload != nil {
		general = c.Payload
	}
	return payloadSettings(general, int(c.MaxBodyBytes))
}

func payloadSettings(cfg *PayloadConfig, maxBody int) telemetry.Payload {
	return telemetry.Payload{
		Enabled:      cfg.Enabled,
		SpanHeaders:  cfg.SpanHeaders,
		Preview:      int(cfg.SpanPreview),
		MaxBody:      maxBody,
		InAttributes: cfg.Placement == PlacementAttributes,
		Include:      cfg.IncludeMediaTypes,
		Exclude:      cfg.ExcludeMediaTypes,
	}
}

func redactSettings(cfg *RedactionConfig) redact.Settings {
	if !cfg.Enabled {
		return redact.Settings{}
	}
	s := redact.Default()
	s.ExtraHeaders = cfg.Headers
	s.ExtraQuery = cfg.QueryParameters
	s.ExtraKeys = cfg.BodyKeys
	s.Allow = cfg.Allow
	return s
}

// batchSettings keeps batches so small that several fit where memory is scarce.
func batchSettings(cfg *Config) telemetry.Batch {
	b := &cfg.Batch
	return telemetry.Batch{Records: b.MaxRecords, Bytes: int(min(b.MaxBytes, cfg.Memory.Limit/64)), Age: b.Timeout}
}
