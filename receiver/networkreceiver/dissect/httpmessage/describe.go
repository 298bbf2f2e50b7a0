// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strconv"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Describe follows the stable semantic conventions for HTTP spans. Header fields and
// bodies are in Message.Content and not repeated. Without an authority,
// server.address is left to whoever knows the socket. req or resp is nil where that
// side is missing.
func Describe(side dissect.Side, req *Request, resp *Response, out dissect.Attributes) (s dissect.Summary) {
	s.Name = "HTTP"
	var version string
	if req != nil {
		version = req.Version
		describeRequest(side, req, out)
		if isStandard(req.Method) {
			s.Name = req.Method
		}
		s.Route = dissect.Route{Path: req.Target.Path, Served: resp != nil && serves(resp.Status), Named: true}
	}
	if resp != nil {
		version = firstOf(version, resp.Version)
		describeResponse(side, resp, out, &s)
	}
	if version != "" {
		out.Str("network.protocol.version", version)
	}
	return s
}

// serves reports whether a status is that of a server that has something at the target.
func serves(status int) bool {
	switch status {
	case 0, 400, 404, 405, 414, 501:
		return false
	}
	return true
}

func describeResponse(side dissect.Side, r *Response, out dissect.Attributes, s *dissect.Summary) {
	if r.Status > 0 {
		out.Int("http.response.status_code", int64(r.Status))
	}
	if content := &r.Message.Content; !content.SizeUnknown {
		out.Int("http.response.body.size", int64(content.BodySize))
	}
	if r.Status >= 500 || r.Status >= 400 && side == dissect.ClientSide {
		s.Error, s.ErrorType = true, strconv.Itoa(r.Status)
		out.Str("error.type", s.ErrorType)
	}
}

func describeRequest(side dissect.Side, r *Request, out dissect.Attributes) {
	switch {
	case r.Method == "":
	case isStandard(r.Method):
		out.Str("http.request.method", r.Method)
	default:
		out.Str("http.request.method", "_OTHER")
		out.Str("http.request.method_original", r.Method)
	}
	if content := &r.Message.Content; !content.SizeUnknown {
		out.Int("http.request.body.size", int64(content.BodySize))
	}
	if agent := Field(r.Message, "User-Agent"); agent != "" {
		out.Str("user_agent.original", agent)
	}
	if side == dissect.ServerSide {
		describeServer(r.Target, r.Message, out)
	} else {
		describeClient(r.Target, out)
	}
}

func describeClient(t Target, out dissect.Attributes) {
	if t.Authority == "" {
		putPath(t, out)
		return
	}
	if !t.Unknown && t.Scheme != "" {
		out.Str("url.full", t.URL())
	}
	putServer(t.Host(), t.Scheme, out)
}

// describeServer prefers what a proxy says about the original request.
func describeServer(t Target, m *dissect.Message, out dissect.Attributes) {
	proxied := parseForwarded(m)
	t.Scheme = firstOf(proxied.proto, t.Scheme)
	if t.Scheme != "" {
		out.Str("url.scheme", t.Scheme)
	}
	putPath(t, out)
	putServer(firstOf(proxied.host, t.Host()), t.Scheme, out)
	if proxied.client != "" {
		address, port := splitHostPort(proxied.client)
		out.Str("client.address", address)
		if port > 0 {
			out.Int("client.port", port)
		}
	}
}

func putPath(t Target, out dissect.Attributes) {
	if t.Path != "" {
		out.Str("url.path", t.Path)
	}
	if t.Query != "" {
		out.Str("url.query", t.Query)
	}
}

func putServer(authority, scheme string, out dissect.Attributes) {
	if authority == "" {
		return
	}
	host, port := splitHostPort(authority[:authorityEnd(authority)])
	if port == 0 {
		port = defaultPort(scheme)
	}
	out.Str("server.address", host)
	if port > 0 {
		out.Int("server.port", port)
	}
}

func defaultPort(scheme string) int64 {
	switch scheme {
	case "http", "ws":
		return 80
	case "https", "wss":
		return 443
	}
	return 0
}

// isStandard tells the methods that the conventions know: those of RFC 9110, PATCH
// and QUERY.
func isStandard(method string) bool {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY":
		return true
	}
	return false
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
