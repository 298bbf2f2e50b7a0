// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"encoding/hex"
	"hash/maphash"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/semconv"
)

// match is what the entries of both ends of a call have in common and those of other
// calls have not. It is empty where that cannot be told.
type match string

var bodySeed = maphash.MakeSeed()

// matchOfRecord is by the span of the client's end, which is the parent of the server's
// where that end has records. Messages of a stream match if they say the same.
func matchOfRecord(x *entry, resource pcommon.Resource, record plog.LogRecord) match {
	attrs := record.Attributes()
	span := record.SpanID().String()
	if x.side == serverSide {
		span = ""
		if truth(attrs, semconv.PeerCaptured) {
			span = str(attrs, semconv.SpanParentID)
		}
	}
	if x.side == unknownSide || span == "" || record.TraceID().IsEmpty() {
		return matchOfDatagrams(x, resource.Attributes(), attrs)
	}
	if str(attrs, semconv.NetworkTransport) == "udp" {
		return matchOfDatagrams(x, resource.Attributes(), attrs)
	}
	parts := []string{record.EventName(), record.TraceID().String(), span}
	if x.kind == streamMessage {
		parts = append(parts, str(attrs, semconv.EventDirection), x.stream.title, strconv.FormatInt(x.stream.body.size, 10), digest(record.Body()))
	}
	return match(strings.Join(parts, "\x00"))
}

// matchOfSpan is by the span of the client's end, which is the parent of the server's.
func matchOfSpan(x *entry, resource pcommon.Resource, span ptrace.Span) match {
	id := span.SpanID()
	if x.side == serverSide {
		id = span.ParentSpanID()
	}
	if x.side == unknownSide || id.IsEmpty() || str(span.Attributes(), semconv.NetworkTransport) == "udp" {
		return matchOfDatagrams(x, resource.Attributes(), span.Attributes())
	}
	trace := span.TraceID()
	return match("span\x00" + hex.EncodeToString(trace[:]) + "\x00" + id.String())
}

// matchOfDatagrams is for calls without identifiers that both ends know. That it is the
// same call is proved by its processes, each of which names the other, their sockets, and
// what was asked and answered.
func matchOfDatagrams(x *entry, resource, attrs pcommon.Map) match {
	local, peer := address(attrs, semconv.NetworkLocalAddress, semconv.NetworkLocalPort), address(attrs, semconv.NetworkPeerAddress, semconv.NetworkPeerPort)
	own, ok := integer(resource, semconv.ProcessPID)
	other, peerOK := integer(attrs, semconv.PeerProcessPID)
	if !ok || !peerOK || local == "" || peer == "" || x.kind != wholeCall {
		return ""
	}
	client, server := local+" "+strconv.FormatInt(own, 10), peer+" "+strconv.FormatInt(other, 10)
	switch x.side {
	case clientSide:
	case serverSide:
		client, server = server, client
	default:
		return ""
	}
	return match(strings.Join([]string{
		"udp", client, server, x.operation, str(attrs, semconv.DNSID), str(attrs, semconv.DNSResponseCode), list(attrs, semconv.DNSResponseAnswers), str(attrs, semconv.MissingSide),
	}, "\x00"))
}

func digest(v pcommon.Value) string {
	var h maphash.Hash
	h.SetSeed(bodySeed)
	if v.Type() == pcommon.ValueTypeBytes {
		for _, b := range v.Bytes().All() {
			_ = h.WriteByte(b) // never fails
		}
	} else {
		_, _ = h.WriteString(v.AsString()) // never fails
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// merge makes one entry of those of the two ends of a call: the client's, with what the
// server's has in addition.
func merge(client, server *entry) entry {
	x := *client
	x.side = bothSides
	x.server = betterEnd(server.server, client.server)
	x.client = betterEnd(client.client, server.client)
	x.peer = server.process
	x.end = latest(client.end, server.end)
	if x.status == "" {
		x.status, x.outcome = server.status, server.outcome
	}
	if x.latency < 0 {
		x.latency = server.latency
	}
	x.request = fuller(&client.request, &server.request)
	x.response = fuller(&client.response, &server.response)
	if client.stream.body.cut && !server.stream.body.cut {
		x.stream.body = server.stream.body
	}
	x.facts = mergeFacts(client.facts, server.facts)
	x.notes = mergeNotes(client.notes, server.notes)
	if server.status != "" && server.status != x.status && server.outcome != x.outcome {
		x.notes = append(x.notes, "server end: "+server.status)
	}
	return x
}

// betterEnd is what an end calls itself, unless only the other end knows its Kubernetes
// objects.
func betterEnd(own, seen end) end {
	if own.namespace == "" && seen.namespace != "" {
		return seen
	}
	return own
}

// fuller is the message of which more was captured.
func fuller(a, b *message) message {
	switch {
	case b.body.kept > a.body.kept, b.body.seen && !a.body.seen, a.body.cut && b.body.seen && !b.body.cut:
		return *b
	case len(a.headers) == 0 && len(b.headers) > 0:
		return *b
	}
	return *a
}

// mergeFacts adds those that only the server's end knows.
func mergeFacts(client, server []fact) []fact {
	all := client[:len(client):len(client)]
	known := make(map[string]bool, len(client))
	for _, f := range client {
		known[f.label] = true
	}
	for _, f := range server {
		if !known[f.label] {
			all = append(all, f)
		}
	}
	return all
}

// mergeNotes says at which end something is not complete, unless it is at both.
func mergeNotes(client, server []string) []string {
	count := make(map[string]int, len(client)+len(server))
	for _, n := range client {
		count[n]++
	}
	for _, n := range server {
		count[n]++
	}
	var all []string
	for _, n := range client {
		if count[n] > 1 {
			all = append(all, n)
		} else {
			all = append(all, "client end: "+n)
		}
	}
	for _, n := range server {
		if count[n] == 1 {
			all = append(all, "server end: "+n)
		}
	}
	return all
}
