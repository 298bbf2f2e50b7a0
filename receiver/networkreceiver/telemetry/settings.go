// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/lookup"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// Settings says what is built.
type Settings struct {
	// Traces and Logs switch the signals on. Nothing is built for the other.
	Traces, Logs bool

	// LeanLogs leaves out of log records what their spans say, where there are spans.
	LeanLogs bool

	// Version is that of the instrumentation scope and of telemetry.distro.version.
	Version string
	// HostName becomes host.name of what is captured live. Empty: none.
	HostName string
	// ServiceName is what stands in service.name.
	ServiceName ServiceName

	// FileSpans says which ends of a call from a capture file get records. Live,
	// an end gets its records where it is captured.
	FileSpans Ends
	// CapturedPeers are remote addresses at which another collector captures: the
	// CLIENT span that it makes is the parent of the SERVER span made here.
	CapturedPeers []netip.Prefix

	// Translator knows where packets really go. Nil: what a connection knows itself has
	// to do.
	Translator capture.Translator

	// Lookups is where the names are that clients look up, of all shards together. Nil:
	// calls are not linked to lookups.
	Lookups *lookup.Table

	// Forwards is where the contexts are that processes may pass on, of all shards
	// together. Nil: calls with which they do are not put below those with which they got
	// them.
	Forwards *Forwards

	// Routes is where the templates of paths are, of all shards together. Nil: paths have
	// none.
	Routes *route.Table

	// Payload is for all protocols that Protocols does not name
	// (network.protocol.name).
	Payload   Payload
	Protocols map[string]Payload
	Redaction redact.Settings

	Batch Batch
	// SlowCall is from which duration on a call is slow. Slow and failed calls get
	// batches of their own, of class Urgent. 0: all batches are Ordinary.
	SlowCall time.Duration
	// Now is the clock of batches and of ObservedTimestamp, Unix ns. Nil: the
	// system's.
	Now func() int64
	// ClockStep is what timestamps add to the times of messages, ns: by how much the
	// system's clock was set while the capture's went on. Nil: nothing.
	ClockStep func() int64
	// Abandoned reports whether the time to build records is over: what comes then is
	// counted only. Nil: it never is.
	Abandoned func() bool
}

// Payload says which payload goes where.
type Payload struct {
	// Enabled switches headers, trailers and bodies on, on spans and log records.
	Enabled bool
	// SpanHeaders puts headers on spans.
	SpanHeaders bool
	// Preview is how many bytes of each body a span carries at most. 0: none.
	Preview int
	// MaxBody is how many bytes of each body a log record carries at most. 0:
	// none.
	MaxBody int
	// InAttributes puts headers and bodies in the log record's attributes, where
	// they are in its body otherwise.
	InAttributes bool
	// Include and Exclude are media types of bodies ("application/json",
	// "text/*"); Exclude wins. An empty Include includes all. A body of no stated
	// type counts as application/octet-stream.
	Include, Exclude []string
}

// Batch bounds what is handed over at once. Whichever is met first counts.
type Batch struct {
	Records int
	// Bytes is the size as OTLP protobuf. One record can be larger than that;
	// it then makes a batch of its own.
	Bytes int
	Age   time.Duration
}

// ServiceName is a source of service.name.
type ServiceName string

// Sources of service.name.
const (
	// ServiceNameProcess takes what the process's environment declares to OpenTelemetry's
	// SDKs, else, outside containers, the process's name, as ps shows it.
	ServiceNameProcess ServiceName = "process"
	// ServiceNameNone leaves service.name to later components.
	ServiceNameNone ServiceName = "none"
)

// Ends says which ends of a call get records.
type Ends string

// Ends of a call.
const (
	EndsClient Ends = "client"
	EndsServer Ends = "server"
	EndsBoth   Ends = "both"
)

// DefaultSettings are those of a receiver that is not configured.
func DefaultSettings() Settings {
	return Settings{
		Traces:      true,
		Logs:        true,
		ServiceName: ServiceNameProcess,
		FileSpans:   EndsClient,
		Payload:     DefaultPayload(),
		Redaction:   redact.Default(),
		Batch:       Batch{Records: 512, Bytes: 1 << 20, Age: 200 * time.Millisecond},
	}
}

// DefaultPayload puts whole payloads in log records and the beginning of bodies
// on spans.
func DefaultPayload() Payload {
	return Payload{Enabled: true, SpanHeaders: true, Preview: 1 << 10, MaxBody: 1 << 20}
}

// Validate reports the first setting that cannot be used.
func (s *Settings) Validate() error {
	switch s.FileSpans {
	case EndsClient, EndsServer, EndsBoth:
	default:
		return fmt.Errorf("ends %q: want client, server or both", s.FileSpans)
	}
	switch s.ServiceName {
	case ServiceNameProcess, ServiceNameNone:
	default:
		return fmt.Errorf("service name %q: want process or none", s.ServiceName)
	}
	if s.Batch.Records < 1 || s.Batch.Bytes < 1 {
		return fmt.Errorf("batch of %d records and %d bytes: want at least 1", s.Batch.Records, s.Batch.Bytes)
	}
	if err := s.Payload.Validate(); err != nil {
		return err
	}
	for name, p := range s.Protocols {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("protocol %s: %w", name, err)
		}
	}
	return nil
}

// Validate reports the first setting that cannot be used.
func (p *Payload) Validate() error {
	if p.Preview < 0 || p.MaxBody < 0 {
		return errors.New("payload size below 0")
	}
	for _, patterns := range [][]string{p.Include, p.Exclude} {
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("media type %q: %w", pattern, err)
			}
		}
	}
	return nil
}

// takes reports whether bodies of a media type are kept.
func (p *Payload) takes(mediaType string) bool {
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	return !matches(p.Exclude, mediaType) && (len(p.Include) == 0 || matches(p.Include, mediaType))
}

func matches(patterns []string, mediaType string) bool {
	for _, pattern := range patterns {
		if ok, _ := path.Match(pattern, mediaType); ok {
			return true
		}
	}
	return false
}
