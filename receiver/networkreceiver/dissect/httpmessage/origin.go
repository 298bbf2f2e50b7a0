// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxOriginField bounds the fields that are remembered.
const maxOriginField = 1 << 10

// Origin is what events of a call that is over need of a message of it: its place, and
// of its header fields those that name a trace and those of WebSocket's handshake, and
// what was asked for. It shares no memory with m.
func Origin(m *dissect.Message) *dissect.Message {
	o := &dissect.Message{Kind: m.Kind, Direction: m.Direction, Keyed: m.Keyed, Key: m.Key, First: m.First}
	for _, f := range m.Content.Headers {
		if len(f.Value) <= maxOriginField && remembered(f.Name) {
			o.Content.Headers = append(o.Content.Headers, dissect.Header{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
		}
	}
	if r, ok := m.Protocol.(Requester); ok {
		q := r.HTTPRequest(m)
		if len(q.Target.Path) <= maxOriginField {
			o.Protocol = &asked{method: strings.Clone(q.Method), path: strings.Clone(q.Target.Path)}
		}
	}
	return o
}

// asked is what is remembered of a request line.
type asked struct{ method, path string }

// HTTPRequest implements Requester.
func (a *asked) HTTPRequest(m *dissect.Message) Request {
	return Request{Method: a.method, Target: Target{Path: a.path}, Message: m}
}

// DescribeOrigin says of an event what its call has asked for, if that is known.
func DescribeOrigin(event *dissect.Message, out dissect.Attributes) {
	if event.Origin == nil {
		return
	}
	r, ok := event.Origin.Protocol.(Requester)
	if !ok {
		return
	}
	q := r.HTTPRequest(event.Origin)
	if q.Method != "" {
		out.Str("http.request.method", q.Method)
	}
	if q.Target.Path != "" {
		out.Str("url.path", q.Target.Path)
	}
}

func remembered(name string) bool {
	for _, prefix := range [...]string{"sec-websocket-", "traceparent", "tracestate", "b3", "x-b3-", "uber-trace-id", "x-amzn-trace-id", "x-datadog-"} {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return true
		}
	}
	return false
}
