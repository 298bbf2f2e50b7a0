// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync/atomic"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Stats are the counters of one Engine. The zero value is ready; the engine
// writes, anyone reads.
type Stats struct {
	GapBytes     atomic.Uint64 // bytes that were missing before dissection
	SkippedBytes atomic.Uint64 // bytes of connections or directions that are not dissected
	SparedBytes  atomic.Uint64 // bytes of messages that the capture left out because they are not kept
	NoMemory     atomic.Uint64 // times that bytes could not be held because there was no memory for them
	LostMessages atomic.Uint64 // messages that were lost because the budget was used up
	Unrecognised atomic.Uint64 // connections that no dissector knew
	Withdrawn    atomic.Uint64 // decisions for a dissector that were withdrawn
	Unreleased   atomic.Uint64 // bytes that conversations kept and did not give back at their end
	connections  [states]atomic.Int64
	perDissector atomic.Pointer[[]protocolCounters]
}

// violation is the reason of a violation.
type violation uint8

const (
	protocol    violation = iota // the dissector said so
	headerBytes                  // a unit is larger than Limits.HeaderBytes
	misuse                       // the dissector used more than there was
	stalled                      // the dissector needs no more and uses nothing
	trailing                     // a datagram has bytes that nobody uses
	violations
)

// protocolCounters are the counters of one dissector.
type protocolCounters struct {
	name       string
	messages   [dissect.Event + 1]atomic.Uint64
	violations [violations]atomic.Uint64
	resyncs    [2]atomic.Uint64 // searched for, skipped from there on
	found      atomic.Uint64
	panics     atomic.Uint64
	limits     named
}

// named counts by name. It has one writer.
type named struct {
	names  [8]atomic.Pointer[string]
	counts [8]atomic.Uint64
	others atomic.Uint64
}

func (n *named) add(name string) {
	for i := range n.names {
		known := n.names[i].Load()
		if known == nil {
			own := name
			known = &own
			n.names[i].Store(known)
		}
		if *known == name {
			n.counts[i].Add(1)
			return
		}
	}
	n.others.Add(1)
}

// begin makes room for the dissectors' counters.
func (s *Stats) begin(dissectors []dissect.Dissector) []protocolCounters {
	counters := make([]protocolCounters, len(dissectors))
	for i, d := range dissectors {
		counters[i].name = d.Info().Name
	}
	s.perDissector.Store(&counters)
	return counters
}

// Names of what Each reports.
const (
	MetricConnections  = "connections"   // gauge; reason is the state
	MetricMessages     = "messages"      // reason is the kind
	MetricViolations   = "violations"    // by reason
	MetricLimits       = "limits"        // reason is the limit's name
	MetricResyncs      = "resyncs"       // times that the thread was lost; "search" or "skip"
	MetricResyncsFound = "resyncs_found" // starts that were found again
	MetricPanics       = "panics"
	MetricGapBytes     = "gap_bytes"
	MetricSkippedBytes = "skipped_bytes"
	MetricSparedBytes  = "spared_bytes"
	MetricNoMemory     = "no_memory"
	MetricLostMessages = "lost_messages"
	MetricUnrecognised = "unrecognised_connections"
	MetricWithdrawn    = "withdrawn_decisions"
	MetricUnreleased   = "unreleased_bytes"
)

// Each calls f with every value: the metric's name, the protocol ("" where it does
// not apply) and the reason ("" likewise). It is safe while the engine runs. All
// series are reported from the start, with 0, but for those of limits.
func (s *Stats) Each(f func(metric, protocol, reason string, value int64)) {
	idle := s.connections[undecided].Load() + s.connections[unknown].Load()
	f(MetricConnections, "", "dissected", s.connections[dissected].Load())
	f(MetricConnections, "", "encrypted", s.connections[encrypted].Load())
	f(MetricConnections, "", "unknown", idle)
	f(MetricConnections, "", "ignored", s.connections[ignored].Load())
	for _, c := range []struct {
		name  string
		value *atomic.Uint64
	}{
		{MetricGapBytes, &s.GapBytes},
		{MetricSkippedBytes, &s.SkippedBytes},
		{MetricSparedBytes, &s.SparedBytes},
		{MetricNoMemory, &s.NoMemory},
		{MetricLostMessages, &s.LostMessages},
		{MetricUnrecognised, &s.Unrecognised},
		{MetricWithdrawn, &s.Withdrawn},
		{MetricUnreleased, &s.Unreleased},
	} {
		f(c.name, "", "", int64(c.value.Load()))
	}
	if all := s.perDissector.Load(); all != nil {
		for i := range *all {
			(*all)[i].each(f)
		}
	}
}

func (c *protocolCounters) each(f func(metric, protocol, reason string, value int64)) {
	for i, kind := range [...]string{"request", "response", "interim", "one_way", "event"} {
		f(MetricMessages, c.name, kind, int64(c.messages[i].Load()))
	}
	for i, reason := range [...]string{"protocol", "header_bytes", "misuse", "stalled", "trailing"} {
		f(MetricViolations, c.name, reason, int64(c.violations[i].Load()))
	}
	for i, how := range [...]string{"search", "skip"} {
		f(MetricResyncs, c.name, how, int64(c.resyncs[i].Load()))
	}
	f(MetricResyncsFound, c.name, "", int64(c.found.Load()))
	f(MetricPanics, c.name, "", int64(c.panics.Load()))
	for i := range c.limits.names {
		if name := c.limits.names[i].Load(); name != nil {
			f(MetricLimits, c.name, *name, int64(c.limits.counts[i].Load()))
		}
	}
	f(MetricLimits, c.name, "other", int64(c.limits.others.Load()))
}

// Total is the sum of a metric's values over all protocols and reasons.
func (s *Stats) Total(metric string) (sum int64) {
	s.Each(func(name, _, _ string, value int64) {
		if name == metric {
			sum += value
		}
	})
	return sum
}
