// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/wirespan/wirespan/internal/semconv"
)

// openEvent is the EventName of the record of a call that has not ended.
const openEvent = "wirespan.call.open"

// entryOfRecord reads the log record of a call, or of what is told of it while it runs.
func entryOfRecord(resource pcommon.Resource, record plog.LogRecord, maxBody int) entry {
	attrs := record.Attributes()
	at := record.Timestamp().AsTime().Local()
	x := entry{side: sideOf(attrs), start: at, end: at}
	x.describe(resource.Attributes(), attrs)
	switch {
	case has(attrs, semconv.EventDirection):
		x.kind = streamMessage
		x.stream = streamOf(record, maxBody)
		if n, ok := integer(attrs, semconv.GapBytes); ok && n > 0 {
			x.notes = append(x.notes, strconv.FormatInt(n, 10)+" bytes of the message were not captured")
		}
		if n, ok := integer(attrs, semconv.SSESkippedBytes); ok && n > 0 {
			x.notes = append(x.notes, strconv.FormatInt(n, 10)+" bytes before it were not captured")
		}
	case record.EventName() == openEvent:
		x.kind = openCall
		if ns, ok := integer(attrs, semconv.TimeElapsed); ok {
			x.latency = time.Duration(ns)
			x.start = at.Add(-x.latency)
		}
		fallthrough
	default:
		x.request = messageOf("request", record.Body(), attrs, maxBody)
		x.response = messageOf("response", record.Body(), attrs, maxBody)
	}
	if x.kind == wholeCall {
		x.end = at.Add(duration(attrs))
	}
	x.match = matchOfRecord(&x, resource, record)
	return x
}

// duration is the time from the start of a call to its last byte, or until it was given up.
func duration(attrs pcommon.Map) time.Duration {
	for _, key := range [...]string{semconv.TimeLastResponseByte, semconv.TimeElapsed, semconv.TimeLastRequestByte} {
		if ns, ok := integer(attrs, key); ok {
			return time.Duration(max(0, ns))
		}
	}
	return 0
}

// streamOf reads a message of a stream.
func streamOf(record plog.LogRecord, maxBody int) streamed {
	attrs := record.Attributes()
	s := streamed{
		fromServer: str(attrs, semconv.EventDirection) == "response",
		title:      titleOf(attrs),
		body:       body{size: -1, cut: str(attrs, semconv.EventTruncated) != ""},
	}
	if n, ok := integer(attrs, semconv.EventSize); ok {
		s.body.size = n
	}
	if record.Body().Type() != pcommon.ValueTypeEmpty {
		s.body.take(record.Body(), maxBody)
	}
	return s
}

// titleOf says which message it is, in the words of its protocol.
func titleOf(attrs pcommon.Map) string {
	if n, ok := integer(attrs, semconv.RPCMessageNumber); ok {
		return "message " + strconv.FormatInt(n, 10)
	}
	if opcode := str(attrs, semconv.WebSocketOpcode); opcode != "" {
		about := []string{opcode, str(attrs, semconv.WebSocketCloseCode), str(attrs, semconv.WebSocketCloseReason), str(attrs, semconv.GraphQLMessageType)}
		return strings.Join(strings.Fields(strings.Join(about, " ")), " ")
	}
	return "event" + prefixed(" ", str(attrs, semconv.SSEEventType)) + prefixed(" id ", str(attrs, semconv.SSEEventID))
}

// sideOf infers the side where a record does not say it: from what the HTTP
// conventions require of each, else from the ports.
func sideOf(attrs pcommon.Map) side {
	switch str(attrs, semconv.Side) {
	case "client":
		return clientSide
	case "server":
		return serverSide
	}
	switch local := str(attrs, semconv.NetworkLocalPort); {
	case has(attrs, semconv.URLFull):
		return clientSide
	case has(attrs, semconv.URLPath):
		return serverSide
	case local == "":
		return unknownSide
	case local == str(attrs, semconv.ClientPort):
		return clientSide
	case local == str(attrs, semconv.ServerPort):
		return serverSide
	}
	return unknownSide
}
