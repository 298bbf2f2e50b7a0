// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package graphql

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

// Subprotocols of WebSocket: the one of graphql-ws, and the older one of
// subscriptions-transport-ws.
const (
	transportWS = "graphql-transport-ws"
	legacyWS    = "graphql-ws"
)

// Messages is the dialogue.Protocol of GraphQL over WebSocket.
type Messages struct {
	// Named is set where the handshake has agreed on it: then control messages are of
	// GraphQL before an operation was seen.
	Named bool
}

var (
	_ dialogue.Protocol = Messages{}
	_ dialogue.Call     = (*subscription)(nil)
	_ dialogue.Said     = (*reply)(nil)
)

// IsSubprotocol reports whether a subprotocol of WebSocket is one of GraphQL.
func IsSubprotocol(name string) bool { return name == transportWS || name == legacyWS }

// subscription is an operation of any type over WebSocket.
type subscription struct {
	operation
	id        string
	results   int
	errors    result
	cancelled bool
}

// reply is a message that begins no operation.
type reply struct {
	kind   string
	id     string
	of     *subscription // nil if it is not known
	errors result
}

// Read implements dialogue.Protocol.
func (p Messages) Read(d dissect.Direction, body []byte, open func(dissect.Direction, string) dialogue.Call) (t dialogue.Turn, ok bool) {
	if !jsonvalue.Mentions(body, "type") {
		return t, false
	}
	var kind, id string
	var payload jsonvalue.Value
	for name, member := range jsonvalue.Of(body).Members() {
		switch string(name) {
		case "type":
			kind = clip(member.Text())
		case "id":
			id = idOf(member)
		case "payload":
			payload = member
		}
	}
	r := &reply{kind: kind, id: id}
	t = dialogue.Turn{Asker: dissect.ToServer, ID: id, Said: r}
	of, known := open(dissect.ToServer, id).(*subscription)
	switch kind {
	case "subscribe", "start":
		o, is := fromObject(payload, true)
		if !is || id == "" || !p.Named && o.kind == "" {
			return t, p.Named
		}
		t.Role, t.Said = dialogue.Begin, &subscription{operation: o, id: id}
		return t, true
	case "next", "data":
		r.errors.add(payload)
		t.Role = dialogue.Part
	case "error":
		r.errors.addAll(payload)
		t.Role = dialogue.End
	case "complete", "stop":
		t.Role = dialogue.End
	case "connection_init", "connection_ack", "connection_error", "connection_terminate", "ka", "ping", "pong":
		return t, p.Named
	default:
		return t, false
	}
	if !known {
		t.Role = dialogue.Aside
		return t, p.Named
	}
	of.take(r)
	of.cancelled = t.Role == dialogue.End && d == dissect.ToServer
	return t, true
}

// idOf is an id: a string, or with the older subprotocol a number.
func idOf(v jsonvalue.Value) string {
	if v.IsString() {
		return clip(v.Text())
	}
	if v.IsNull() {
		return ""
	}
	return clip(string(v))
}

// take adds what a reply says to what is known of its operation.
func (s *subscription) take(r *reply) {
	r.of = s
	if r.kind == "next" || r.kind == "data" {
		s.results++
	}
	s.errors.join(&r.errors)
}

// maxErrorText bounds the messages of errors that are kept of an operation.
const maxErrorText = 1 << 10

// join adds the errors of a later result.
func (r *result) join(more *result) {
	r.errors += more.errors
	if r.code == "" {
		r.code = more.code
	}
	size := 0
	for _, text := range r.messages {
		size += len(text)
	}
	for _, text := range more.messages {
		if size += len(text); len(r.messages) == maxMessages || len(r.messages) > 0 && size > maxErrorText {
			break
		}
		r.messages = append(r.messages, dissect.Clip(text, maxErrorText))
	}
}

// DescribeMessage implements dialogue.Said.
func (s *subscription) DescribeMessage(out dissect.Attributes) {
	s.describe(out, new(dissect.Summary))
	out.Str("wirespan.graphql.operation.id", s.id)
}

// DescribeCall implements dialogue.Call.
func (s *subscription) DescribeCall(out dissect.Attributes) (summary dissect.Summary) {
	summary.Name = "GraphQL Operation"
	s.describe(out, &summary)
	out.Str("wirespan.graphql.operation.id", s.id)
	out.Int("wirespan.graphql.results", int64(s.results))
	if s.cancelled {
		out.Bool("wirespan.graphql.cancelled", true)
	}
	s.errors.describe(out, &summary)
	return summary
}

// DescribeMessage implements dialogue.Said.
func (r *reply) DescribeMessage(out dissect.Attributes) {
	out.Str("wirespan.graphql.message.type", r.kind)
	if r.id != "" {
		out.Str("wirespan.graphql.operation.id", r.id)
	}
	if r.of != nil {
		if r.of.kind != "" {
			out.Str("graphql.operation.type", r.of.kind)
		}
		if r.of.name != "" {
			out.Str("graphql.operation.name", r.of.name)
		}
	}
	r.errors.describe(out, new(dissect.Summary))
}
