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
		describeServer(r, out)
	} else {
		describeClient(r, out)
	}
}

func describeClient(r *Request, out dissect.Attributes) {
	t := r.Target
	if t.Authority == "" {
		putPath(t, out)
		return
	}
	if !t.Unknown && t.Scheme != "" {
		out.Str("url.full", t.URL())
	}
	putServer(t.Host(), r.usualPort(t.Scheme), out)
}

// describeServer prefers what a proxy says about the original request.
func describeServer(r *Request, out dissect.Attributes) {
	t, proxied := r.Target, parseForwarded(r.Message)
	t.Scheme = firstOf(proxied.proto, t.Scheme)
	if t.Scheme != "" {
		out.Str("url.scheme", t.Scheme)
	}
	putPath(t, out)
	putServer(firstOf(proxied.host, t.Host()), r.usualPort(t.Scheme), out)
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

// putServer tells whom the request is for, at the usual port if it names none.
func putServer(authority string, usual int64, out dissect.Attributes) {
	if authority == "" {
		return
	}
	host, port := splitHostPort(authority[:authorityEnd(authority)])
	if port == 0 {
		port = usual
	}
	out.Str("server.address", host)
	if port > 0 {
		out.Int("server.port", port)
	}
}

// usualPort is the port of a server where the authority names none. A tunnel has no such
// port (RFC 9110, section 9.3.6).
func (r *Request) usualPort(scheme string) int64 {
	if r.Method == methodConnect && r.Target.Path == "" {
		return 0
	}
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
