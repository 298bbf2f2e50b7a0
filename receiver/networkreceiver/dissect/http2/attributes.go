// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Describe follows the stable semantic conventions for HTTP spans. HTTP/2 is a version
// of the protocol "http", also for a request that was sent as HTTP/1 to ask for it.
func (d Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	if req != nil {
		if inside, ok := req.Protocol.(httpmessage.TunnelInfo); ok {
			return inside.DescribeCall(out)
		}
	}
	out.Str("network.protocol.name", "http")
	var to *httpmessage.Request
	var from *httpmessage.Response
	unknown := 0
	if req != nil {
		if r, ok := req.Protocol.(httpmessage.Requester); ok {
			neutral := r.HTTPRequest(req)
			to = &neutral
			to.Version = version
		}
		if r, ok := req.Protocol.(*RequestInfo); ok {
			unknown += r.Unknown
			describeRequest(r, out)
		}
	}
	reset := ""
	if resp != nil {
		if r, ok := resp.Protocol.(*ResponseInfo); ok {
			unknown, reset = unknown+r.Unknown, r.Reset
			if r.Status > 0 || resp.Content.BodySize > 0 || reset == "" {
				from = &httpmessage.Response{Status: r.Status, Version: version, Message: resp}
			}
		}
	}
	s := d.Applications.Describe(side, to, from, out)
	if unknown > 0 {
		out.Int("wirespan.http2.unknown_fields", int64(unknown))
	}
	if reset != "" {
		describeReset(reset, out, &s)
	}
	return s
}

// version is network.protocol.version.
const version = "2"

const (
	methodConnect = "CONNECT" // has no path (RFC 9113, section 8.5)
	methodHead    = "HEAD"    // has no response body, whatever its length
)

func describeRequest(r *RequestInfo, out dissect.Attributes) {
	if r.Protocol != "" {
		out.Str("wirespan.http2.protocol", r.Protocol)
	}
	if r.Pushed {
		out.Bool("wirespan.http2.pushed", true)
	}
}

// describeReset tells of a stream that was reset: an error unless the code says that
// there was none.
func describeReset(code string, out dissect.Attributes, s *dissect.Summary) {
	out.Str("wirespan.http2.error_code", code)
	if code == "NO_ERROR" {
		return
	}
	s.Error, s.ErrorType = true, code
	out.Str("error.type", code)
}

// HTTPRequest implements httpmessage.Requester.
func (r *RequestInfo) HTTPRequest(m *dissect.Message) httpmessage.Request {
	path, query, _ := strings.Cut(r.Path, "?")
	t := httpmessage.Target{
		Scheme: r.Scheme, Authority: r.Authority, Path: path, Query: query,
		Unknown: r.Path == "" && r.Method != methodConnect,
	}
	raw := r.Path
	if raw == "" {
		raw = r.Authority
	}
	if t.Scheme == "" && m.Encrypted {
		t.Scheme = "https"
	}
	if path == "*" { // OPTIONS for the server as a whole
		t.Path = ""
	}
	return httpmessage.Request{Method: r.Method, Target: t, Raw: raw, Version: version, Message: m}
}
