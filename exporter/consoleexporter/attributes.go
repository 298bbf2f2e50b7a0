// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
)

// describe fills in what attributes say, the same for spans and log records.
func (x *entry) describe(resource, attrs pcommon.Map) {
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
	x.facts = factsOf(attrs)
	x.notes = notesOf(attrs)
	x.latency = -1
	x.givenUp = str(attrs, semconv.MissingSide) == "response"
	if ns, ok := integer(attrs, semconv.TimeLastResponseByte); ok && str(attrs, semconv.MissingSide) == "" {
		x.latency = time.Duration(ns)
	} else if ns, ok := integer(attrs, semconv.TimeElapsed); ok && x.givenUp {
		x.latency = time.Duration(ns)
	}
}

func processOf(resource pcommon.Map) process {
	p := process{
		name:      processName(resource),
		container: str(resource, semconv.ContainerID),
	}
	p.pid, _ = integer(resource, semconv.ProcessPID)
	return p
}

// peerProcessOf is the process at the other end, if that is on the same machine.
func peerProcessOf(attrs pcommon.Map) process {
	p := process{
		name:      str(attrs, semconv.PeerProcessName),
		container: str(attrs, semconv.PeerContainerID),
	}
	p.pid, _ = integer(attrs, semconv.PeerProcessPID)
	return p
}

// processName is what ps shows: of a script its own name (gunicorn), not its
// interpreter's. Runtimes that name their main thread hide it, though.
func processName(resource pcommon.Map) string {
	if name := str(resource, semconv.ProcessName); name != "" && !strings.HasSuffix(name, "MainThread") {
		return name
	}
	return firstOf(resource, semconv.ProcessExecutableName, semconv.ProcessCommand)
}

// localEnd prefers what an orchestrator calls the process to what it calls
// itself. In a capture file there is neither.
func localEnd(resource, attrs pcommon.Map) end {
	if pod := str(resource, semconv.K8SPodName); pod != "" {
		return end{pod, str(resource, semconv.K8SNamespaceName)}
	}
	if service := str(resource, semconv.ServiceName); service != "" {
		return end{name: service}
	}
	if name := processName(resource); name != "" {
		return end{name: name}
	}
	return end{name: address(attrs, semconv.NetworkLocalAddress, semconv.NetworkLocalPort)}
}

// peerPrefixes are where attributes about the peer's Kubernetes objects live:
// the peer of a client is the destination, the peer of a server the source.
var peerPrefixes = map[side]string{clientSide: "destination.", serverSide: "source."}

func peerEnd(attrs pcommon.Map, s side) end {
	prefix := peerPrefixes[s]
	namespace := firstOf(attrs, semconv.ServicePeerNamespace, prefix+semconv.K8SNamespaceName)
	if name := firstOf(attrs, semconv.ServicePeerName, prefix+semconv.K8SPodName); name != "" {
		return end{name, namespace}
	}
	if s == serverSide {
		if a := address(attrs, semconv.NetworkPeerAddress, semconv.NetworkPeerPort); a != "" {
			return end{name: a}
		}
		return end{name: address(attrs, semconv.ClientAddress, semconv.ClientPort)}
	}
	if a := address(attrs, semconv.ServerAddress, semconv.ServerPort); a != "" {
		return end{name: a}
	}
	return end{name: address(attrs, semconv.NetworkPeerAddress, semconv.NetworkPeerPort)}
}

func address(attrs pcommon.Map, hostKey, portKey string) string {
	host := str(attrs, hostKey)
	port, ok := integer(attrs, portKey)
	if host == "" || !ok {
		return host
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

// notesOf says what is missing of a call, or not certain.
func notesOf(attrs pcommon.Map) []string {
	var notes []string
	if side := str(attrs, semconv.MissingSide); side != "" {
		notes = append(notes, "no "+side+prefixed(": ", str(attrs, semconv.MissingReason)))
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
	if n, ok := integer(attrs, semconv.HTTP2UnknownFields); ok && n > 0 {
		notes = append(notes, counted(n, "header field")+" from before the capture unknown")
	}
	if truth(attrs, semconv.PairingUncertain) {
		notes = append(notes, "pairing uncertain")
	}
	return notes
}

func truth(m pcommon.Map, key string) bool {
	v, ok := m.Get(key)
	return ok && v.Type() == pcommon.ValueTypeBool && v.Bool()
}

func has(m pcommon.Map, key string) bool {
	_, ok := m.Get(key)
	return ok
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

// list is a list of strings as one.
func list(m pcommon.Map, key string) string {
	v, ok := m.Get(key)
	if !ok || v.Type() != pcommon.ValueTypeSlice {
		return str(m, key)
	}
	var all []string
	for _, item := range v.Slice().All() {
		all = append(all, item.AsString())
	}
	return strings.Join(all, ", ")
}

func integer(m pcommon.Map, key string) (int64, bool) {
	if v, ok := m.Get(key); ok && v.Type() == pcommon.ValueTypeInt {
		return v.Int(), true
	}
	return 0, false
}
