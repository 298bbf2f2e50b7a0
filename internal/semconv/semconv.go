// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package semconv has the names of attributes that more than one component knows. They
// are described in docs/telemetry.md.
package semconv // import "github.com/wirespan/wirespan/internal/semconv"

// Attributes by the semantic conventions.
const (
	ClientAddress = "client.address"
	ClientPort    = "client.port"

	ContainerID = "container.id"

	ErrorType = "error.type"

	HostName = "host.name"

	HTTPRoute = "http.route"

	K8SPodUID = "k8s.pod.uid"

	NetworkLocalAddress = "network.local.address"
	NetworkLocalPort    = "network.local.port"
	NetworkPeerAddress  = "network.peer.address"
	NetworkPeerPort     = "network.peer.port"
	NetworkProtocolName = "network.protocol.name"
	NetworkTransport    = "network.transport"

	ProcessCommand        = "process.command"
	ProcessCommandArgs    = "process.command_args"
	ProcessCreationTime   = "process.creation.time"
	ProcessExecutableName = "process.executable.name"
	ProcessExecutablePath = "process.executable.path"
	ProcessLinuxCgroup    = "process.linux.cgroup"
	ProcessParentPID      = "process.parent_pid"
	ProcessPID            = "process.pid"

	ServerAddress = "server.address"
	ServerPort    = "server.port"

	ServiceName      = "service.name"
	ServiceNamespace = "service.namespace"
	ServicePeerName  = "service.peer.name"

	TelemetryDistroName    = "telemetry.distro.name"
	TelemetryDistroVersion = "telemetry.distro.version"

	URLFull     = "url.full"
	URLPath     = "url.path"
	URLQuery    = "url.query"
	URLTemplate = "url.template"
)

// Attributes of Wirespan.
const (
	ConnectionMidway = "wirespan.connection.midway"

	EventDirection = "wirespan.event.direction"
	EventSize      = "wirespan.event.size"
	EventTruncated = "wirespan.event.truncated"

	Flags      = "wirespan.flags"
	GapBytes   = "wirespan.gap_bytes"
	Incomplete = "wirespan.incomplete"

	LookupSpans = "wirespan.lookup.spans"

	MissingReason = "wirespan.missing.reason"
	MissingSide   = "wirespan.missing.side"

	PairingUncertain = "wirespan.pairing.uncertain"

	PeerCaptured    = "wirespan.peer.captured"
	PeerContainerID = "wirespan.peer.container.id"
	PeerDNSName     = "wirespan.peer.dns.name"
	PeerNATAddress  = "wirespan.peer.nat.address"
	PeerNATPort     = "wirespan.peer.nat.port"
	PeerProcessName = "wirespan.peer.process.name"
	PeerProcessPID  = "wirespan.peer.process.pid"

	ProcessName = "wirespan.process.name"

	ResponseInterim = "wirespan.response.interim"

	Side = "wirespan.side"

	SpanName     = "wirespan.span.name"
	SpanParentID = "wirespan.span.parent_id"

	StatusMessage = "wirespan.status.message"

	TimeConnect           = "wirespan.time.connect"
	TimeElapsed           = "wirespan.time.elapsed"
	TimeFirstResponseByte = "wirespan.time.first_response_byte"
	TimeLastRequestByte   = "wirespan.time.last_request_byte"
	TimeLastResponseByte  = "wirespan.time.last_response_byte"
	TimeLookup            = "wirespan.time.lookup"

	TLSServerName = "wirespan.tls.server_name"

	TraceSource = "wirespan.trace.source"
)
