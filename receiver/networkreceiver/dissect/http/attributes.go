// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Describe follows the stable semantic conventions for HTTP spans. Header fields and
// bodies are in Message.Content and not repeated. Without a Host, server.address is
// left to whoever knows the socket.
func (Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) (s dissect.Summary) {
	s.Name = "HTTP"
	var version string
	if request, ok := protocolOf[RequestInfo](req); ok {
		version = request.Version
		describeRequest(side, request, req, out)
		s.Operation = request.operation()
		if isStandard(request.Method) {
			s.Name = request.Method
		}
	}
	if response, ok := protocolOf[ResponseInfo](resp); ok {
		version = firstOf(version, response.Version)
		out.Int("http.response.status_code", int64(response.Status))
		out.Int("http.response.body.size", int64(resp.Content.BodySize))
		s.Status = strings.TrimSpace(strconv.Itoa(response.Status) + " " + response.Reason)
		if response.Status >= 500 || response.Status >= 400 && side == dissect.ClientSide {
			s.Error, s.ErrorType = true, strconv.Itoa(response.Status)
			out.Str("error.type", s.ErrorType)
		}
	}
	if version != "" {
		out.Str("network.protocol.version", version)
	}
	return s
}

func protocolOf[T any](m *dissect.Message) (info *T, ok bool) {
	if m == nil {
		return nil, false
	}
	info, ok = m.Protocol.(*T)
	return info, ok
}

func describeRequest(side dissect.Side, r *RequestInfo, m *dissect.Message, out dissect.Attributes) {
	if isStandard(r.Method) {
		out.Str("http.request.method", r.Method)
	} else {
		out.Str("http.request.method", "_OTHER")
		out.Str("http.request.method_original", r.Method)
	}
	out.Int("http.request.body.size", int64(m.Content.BodySize))
	if agent := field(m, "User-Agent"); agent != "" {
		out.Str("user_agent.original", agent)
	}
	t := parseTarget(r.Method, r.Target)
	if t.scheme == "" {
		t.scheme = "http"
	}
	if t.authority == "" {
		t.authority = r.Host
	}
	if side == dissect.ServerSide {
		describeServer(t, m, out)
	} else {
		describeClient(t, out)
	}
}

func describeClient(t target, out dissect.Attributes) {
	if t.authority == "" {
		putPath(t, out)
		return
	}
	full := t.scheme + "://" + t.authority + t.path
	if t.query != "" {
		full += "?" + t.query
	}
	out.Str("url.full", full)
	putServer(t.host(), t.scheme, out)
}

// describeServer prefers what a proxy says about the original request.
func describeServer(t target, m *dissect.Message, out dissect.Attributes) {
	proxied := parseForwarded(m)
	t.scheme = firstOf(proxied.proto, t.scheme)
	out.Str("url.scheme", t.scheme)
	putPath(t, out)
	putServer(firstOf(proxied.host, t.host()), t.scheme, out)
	if proxied.client != "" {
		address, port := splitHostPort(proxied.client)
		out.Str("client.address", address)
		if port > 0 {
			out.Int("client.port", port)
		}
	}
}

func putPath(t target, out dissect.Attributes) {
	if t.path != "" {
		out.Str("url.path", t.path)
	}
	if t.query != "" {
		out.Str("url.query", t.query)
	}
}

func putServer(authority, scheme string, out dissect.Attributes) {
	if authority == "" {
		return
	}
	host, port := splitHostPort(authority)
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

// forwarded is what the nearest proxy says about the first hop.
type forwarded struct {
	client, host, proto string
}

// parseForwarded reads Forwarded (RFC 7239), or else the X-Forwarded fields.
func parseForwarded(m *dissect.Message) (f forwarded) {
	if v := field(m, "Forwarded"); v != "" {
		first, _, _ := nextElement(v)
		for first != "" {
			var pair string
			pair, first, _ = strings.Cut(first, ";")
			name, value, _ := strings.Cut(pair, "=")
			value = strings.Trim(trimOWS(value), `"`)
			switch strings.ToLower(trimOWS(name)) {
			case "for":
				f.client = value
			case "host":
				f.host = value
			case "proto":
				f.proto = strings.ToLower(value)
			}
		}
	} else {
		f.client, _, _ = nextElement(field(m, "X-Forwarded-For"))
		f.host, _, _ = nextElement(field(m, "X-Forwarded-Host"))
		f.proto, _, _ = nextElement(strings.ToLower(field(m, "X-Forwarded-Proto")))
	}
	// RFC 7239, section 6: the client may hide.
	if f.client == "unknown" || strings.HasPrefix(f.client, "_") {
		f.client = ""
	}
	return f
}

// field is the first value of a field.
func field(m *dissect.Message, name string) string {
	for _, h := range m.Content.Headers {
		if len(h.Name) == len(name) && strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// operation is the request for people: the method, and the path with the query.
func (r *RequestInfo) operation() string {
	if t := parseTarget(r.Method, r.Target); t.path != "" {
		if t.query != "" {
			return r.Method + " " + t.path + "?" + t.query
		}
		return r.Method + " " + t.path
	}
	return r.Method + " " + r.Target
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
