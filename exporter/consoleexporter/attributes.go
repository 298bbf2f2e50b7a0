// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// describe fills in what attributes say, the same for spans and log records.
func (x *call) describe(resource, attrs pcommon.Map) {
	x.process = processOf(resource)
	x.peer = peerProcessOf(attrs)
	local, peer := localEnd(resource, attrs), peerEnd(attrs, x.side)
	if x.side == serverSide {
		x.client, x.server = peer, local
	} else {
		x.client, x.server = local, peer
	}
	x.operation = operationOf(attrs)
	x.status, x.outcome = statusOf(attrs)
	x.notes = notesOf(attrs)
	x.latency = -1
	if ns, ok := integer(attrs, keyResponseTime); ok && str(attrs, keyMissingSide) == "" {
		x.latency = time.Duration(ns)
	}
}

func processOf(resource pcommon.Map) process {
	p := process{
		name:      processName(resource),
		container: str(resource, keyContainerID),
	}
	p.pid, _ = integer(resource, keyPID)
	return p
}

// peerProcessOf is the process at the other end, if that is on the same machine.
func peerProcessOf(attrs pcommon.Map) process {
	p := process{
		name:      str(attrs, keyPeerProcessName),
		container: str(attrs, keyPeerContainerID),
	}
	p.pid, _ = integer(attrs, keyPeerProcessPID)
	return p
}

// processName is what ps shows: of a script its own name (gunicorn), not its
// interpreter's. Runtimes that name their main thread hide it, though.
func processName(resource pcommon.Map) string {
	if name := str(resource, keyOwnProcessName); name != "" && !strings.HasSuffix(name, "MainThread") {
		return name
	}
	return firstOf(resource, keyProcessName, keyProcessTitle)
}

// localEnd prefers what an orchestrator calls the process to what it calls
// itself. In a capture file there is neither.
func localEnd(resource, attrs pcommon.Map) end {
	if pod := str(resource, keyPodName); pod != "" {
		return end{pod, str(resource, keyNamespace)}
	}
	if service := str(resource, keyServiceName); service != "" {
		return end{name: service}
	}
	if name := processName(resource); name != "" {
		return end{name: name}
	}
	return end{name: address(attrs, keyLocalAddress, keyLocalPort)}
}

// peerPrefixes are where attributes about the peer's Kubernetes objects live:
// the peer of a client is the destination, the peer of a server the source.
var peerPrefixes = map[side]string{clientSide: "destination.", serverSide: "source."}

func peerEnd(attrs pcommon.Map, s side) end {
	prefix := peerPrefixes[s]
	namespace := firstOf(attrs, keyPeerNamespace, prefix+keyNamespace)
	if name := firstOf(attrs, keyPeerName, prefix+keyPodName); name != "" {
		return end{name, namespace}
	}
	if s == serverSide {
		if a := address(attrs, keyPeerAddress, keyPeerPort); a != "" {
			return end{name: a}
		}
		return end{name: address(attrs, keyClientAddress, keyClientPort)}
	}
	if a := address(attrs, keyServerAddress, keyServerPort); a != "" {
		return end{name: a}
	}
	return end{name: address(attrs, keyPeerAddress, keyPeerPort)}
}

func address(attrs pcommon.Map, hostKey, portKey string) string {
	host := str(attrs, hostKey)
	port, ok := integer(attrs, portKey)
	if host == "" || !ok {
		return host
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

// operations are the attributes that name the operation and its target, by the
// conventions of protocols other than HTTP.
var operations = [...]struct{ operation, target string }{
	{keyDNSType, keyDNSName},
}

// operationOf is the operation and its target: in HTTP method and target, as in a
// request line.
func operationOf(attrs pcommon.Map) string {
	for _, keys := range operations {
		if target := str(attrs, keys.target); target != "" {
			return strings.TrimSpace(str(attrs, keys.operation) + " " + target)
		}
	}
	method := firstOf(attrs, keyMethodOriginal, keyMethod)
	target := str(attrs, keyURLPath)
	if query := str(attrs, keyURLQuery); query != "" {
		target += "?" + query
	}
	if target == "" {
		target = targetOf(str(attrs, keyURLFull))
	}
	switch {
	case method == "" && target == "":
		return handshakeOf(attrs)
	case method == "":
		return target
	case target == "":
		return method
	}
	return method + " " + target
}

// targetOf leaves out what the ends of the call tell already.
func targetOf(full string) string {
	u, err := url.Parse(full)
	if err != nil || u.Host == "" {
		return full
	}
	if u.EscapedPath() == "" {
		return "/" + suffix("?", u.RawQuery)
	}
	return u.EscapedPath() + suffix("?", u.RawQuery)
}

func suffix(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}

// statuses are the attributes with the status of protocols other than HTTP.
var statuses = [...]string{keyDNSCode}

// handshakeOf names a handshake of TLS or QUIC and the server that it asks for; empty if
// it is none.
func handshakeOf(attrs pcommon.Map) string {
	name := "TLS"
	if str(attrs, keyProtocol) == "quic" {
		name = "QUIC"
	}
	switch {
	case has(attrs, keyTLSVersions) || has(attrs, keyTLSEstablished):
		return strings.TrimSpace(name + " handshake " + str(attrs, keyServerAddress))
	case has(attrs, keyTLSAlert):
		return name + " alert"
	}
	return ""
}

func statusOf(attrs pcommon.Map) (string, outcome) {
	for _, key := range statuses {
		switch status := str(attrs, key); {
		case status == "":
		case has(attrs, keyErrorType):
			return status, failed
		default:
			return status, succeeded
		}
	}
	code, ok := integer(attrs, keyStatusCode)
	if !ok {
		if kind := str(attrs, keyErrorType); kind != "" {
			return kind, failed
		}
		if version := str(attrs, keyTLSVersion); version != "" && has(attrs, keyTLSEstablished) {
			return "TLS " + version, succeeded
		}
		return "", unknownOutcome
	}
	status := strconv.FormatInt(code, 10)
	if text := http.StatusText(int(code)); text != "" {
		status += " " + text
	}
	switch {
	case code >= 500:
		return status, failed
	case code >= 400:
		return status, refused
	}
	return status, succeeded
}

// notesOf says what is missing of a call, or not certain.
func notesOf(attrs pcommon.Map) []string {
	var notes []string
	if side := str(attrs, keyMissingSide); side != "" {
		notes = append(notes, "no "+side+suffix(": ", str(attrs, keyMissingReason)))
	}
	for _, name := range []string{"request", "response"} {
		if truth(attrs, "wirespan."+name+".midway") {
			notes = append(notes, "beginning of the "+name+" not seen")
		}
		if why := str(attrs, "wirespan."+name+".incomplete"); why != "" {
			notes = append(notes, name+" ended by "+why)
		}
		if n, ok := integer(attrs, "wirespan."+name+".gap_bytes"); ok && n > 0 {
			notes = append(notes, strconv.FormatInt(n, 10)+" bytes of the "+name+" were not captured")
		}
	}
	if truth(attrs, keyUncertain) {
		notes = append(notes, "pairing uncertain")
	}
	return notes
}

func truth(m pcommon.Map, key string) bool {
	v, ok := m.Get(key)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

func str(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.AsString()
	}
	return ""
}

func firstOf(m pcommon.Map, keys ...string) string {
	for _, key := range keys {
		if s := str(m, key); s != "" {
			return s
		}
	}
	return ""
}

func integer(m pcommon.Map, key string) (int64, bool) {
	if v, ok := m.Get(key); ok && v.Type() == pcommon.ValueTypeInt {
		return v.Int(), true
	}
	return 0, false
}
