// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonrpc describes calls of JSON-RPC 2.0 over HTTP, and those of the Model
// Context Protocol, which is carried by it.
package jsonrpc // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonrpc"

import (
	"net/http"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Protocol is the application.Protocol of JSON-RPC.
type Protocol struct{}

// Info implements application.Protocol.
func (Protocol) Info() dissect.Info { return dissect.Info{Name: "jsonrpc"} }

// Describe follows the semantic conventions for JSON-RPC, and for MCP.
func (Protocol) Describe(_ dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool) {
	var asked, answered message
	if req != nil && req.Method == http.MethodPost {
		asked = parse(bodyOf(req.Message))
	}
	if asked.kind == nothing && resp != nil && mayTell(req, resp) {
		answered = parse(bodyOf(resp.Message))
	}
	if asked.kind == nothing && answered.kind == nothing {
		return s, describeStream(req, resp, out)
	}
	if answered.kind == nothing && resp != nil {
		answered = parseAnswer(resp.Message, &asked)
	}
	describe(&asked, &answered, out, &s)
	describeMCP(&asked, &answered, req, resp, out, &s)
	return s, true
}

// maxRefusal is the size of a response that may refuse what is no request.
const maxRefusal = 256

// mayTell reports whether the response can say that a call is of JSON-RPC whose request
// does not: it was not seen, or not all of it, or is refused because it is none.
func mayTell(req *httpmessage.Request, resp *httpmessage.Response) bool {
	return req == nil || req.Method == http.MethodPost &&
		(req.Message.Content.Truncated != "" || len(resp.Message.Content.Body) <= maxRefusal)
}

// describe tells of a call or of a batch of calls.
func describe(asked, answered *message, out dissect.Attributes, s *dissect.Summary) {
	out.Str("rpc.system.name", "jsonrpc")
	s.Name = "jsonrpc"
	if version := first(asked.version, answered.version); version != "" {
		out.Str("jsonrpc.protocol.version", version)
	}
	if method := asked.method; method != "" {
		out.Str("rpc.method", method)
		s.Name = method
	}
	if id := first(asked.id, answered.id); id != "" {
		out.Str("jsonrpc.request.id", id)
	}
	if asked.kind == notification {
		out.Bool("wirespan.jsonrpc.notification", true)
	}
	if asked.kind == batch {
		describeBatch(asked, out)
	}
	if answered.failed > 0 {
		describeError(answered, out, s)
	}
}

func describeBatch(asked *message, out dissect.Attributes) {
	out.Int("wirespan.jsonrpc.batch.size", int64(asked.size))
	out.Strs("wirespan.jsonrpc.batch.methods", asked.methods)
}

// describeError tells of the first error of a call or a batch. By the conventions every
// error code is an error, at both ends.
func describeError(answered *message, out dissect.Attributes, s *dissect.Summary) {
	if answered.kind == batch {
		out.Int("wirespan.jsonrpc.batch.errors", int64(answered.failed))
	}
	if answered.text != "" {
		out.Str("wirespan.jsonrpc.error.message", answered.text)
	}
	s.Error, s.Status = true, answered.text
	if answered.code != "" {
		out.Str("rpc.response.status_code", answered.code)
		out.Str("error.type", answered.code)
		s.ErrorType = answered.code
	}
}

// bodyOf is the body of a message that may be JSON-RPC.
func bodyOf(m *dissect.Message) []byte {
	if m == nil || !jsonvalue.IsMediaType(m.Content.MediaType) || !jsonvalue.Mentions(m.Content.Body, "jsonrpc") {
		return nil
	}
	return m.Content.Body
}

// parseAnswer reads what answers a call: JSON, or with MCP an event stream in which
// other messages may come first.
func parseAnswer(m *dissect.Message, asked *message) (answered message) {
	if m.Content.MediaType != sse.MediaType {
		return parse(bodyOf(m))
	}
	for data := range sse.Data(m.Content.Body) {
		if answer := parse(data); answer.kind == response && answer.id == asked.id || answer.kind == batch {
			return answer
		}
	}
	return answered
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
