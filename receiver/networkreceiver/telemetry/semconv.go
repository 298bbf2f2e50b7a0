// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

// SchemaURL is that of the semantic conventions that the attributes follow.
const SchemaURL = "https://opentelemetry.io/schemas/1.41.0"

// Attributes by the semantic conventions. docs/telemetry.md lists them all.
const (
	keyErrorType = "error.type"

	keyNetworkTransport    = "network.transport"
	keyNetworkProtocolName = "network.protocol.name"
	keyNetworkPeerAddress  = "network.peer.address"
	keyNetworkPeerPort     = "network.peer.port"
	keyNetworkLocalAddress = "network.local.address"
	keyNetworkLocalPort    = "network.local.port"

	keyClientAddress = "client.address"
	keyClientPort    = "client.port"
	keyServerAddress = "server.address"
	keyServerPort    = "server.port"

	keyTLSServerName = "wirespan.tls.server_name" // by a carrier

	keyURLFull  = "url.full"  // by dissectors, redacted here
	keyURLQuery = "url.query" // by dissectors, redacted here
	keyURLPath  = "url.path"  // by dissectors

	keyURLTemplate = "url.template"
	keyHTTPRoute   = "http.route"

	keyServiceName          = "service.name"
	keyServiceNamespace     = "service.namespace"
	keyServicePeerName      = "service.peer.name"
	keyHostName             = "host.name"
	keyContainerID          = "container.id"
	keyPodUID               = "k8s.pod.uid"
	keyProcessPID           = "process.pid"
	keyProcessParentPID     = "process.parent_pid"
	keyProcessCreationTime  = "process.creation.time"
	keyProcessExecutable    = "process.executable.name"
	keyProcessPath          = "process.executable.path"
	keyProcessCommand       = "process.command"
	keyProcessArgs          = "process.command_args"
	keyProcessCgroup        = "process.linux.cgroup"
	keyTelemetryDistroName  = "telemetry.distro.name"
	keyTelemetryDistroVersn = "telemetry.distro.version"
)

// Attributes of our own.
const (
	keyProcessName = "wirespan.process.name"

	keyPeerNATAddress = "wirespan.peer.nat.address"
	keyPeerNATPort    = "wirespan.peer.nat.port"

	keyPeerProcessPID  = "wirespan.peer.process.pid"
	keyPeerProcessName = "wirespan.peer.process.name"
	keyPeerContainerID = "wirespan.peer.container.id"

	keyPeerDNSName = "wirespan.peer.dns.name"
	keyLookupSpans = "wirespan.lookup.spans"

	keyTimeLookup            = "wirespan.time.lookup"
	keyTimeConnect           = "wirespan.time.connect"
	keyTimeLastRequestByte   = "wirespan.time.last_request_byte"
	keyTimeFirstResponseByte = "wirespan.time.first_response_byte"
	keyTimeLastResponseByte  = "wirespan.time.last_response_byte"
	keyTimeElapsed           = "wirespan.time.elapsed"

	keySide             = "wirespan.side"
	keyPeerCaptured     = "wirespan.peer.captured"
	keySpanName         = "wirespan.span.name"
	keySpanParentID     = "wirespan.span.parent_id"
	keyStatusMessage    = "wirespan.status.message"
	keyTraceSource      = "wirespan.trace.source"
	keyInterimResponses = "wirespan.response.interim"

	keyEventDirection = "wirespan.event.direction"
	keyEventSize      = "wirespan.event.size"
	keyEventTruncated = "wirespan.event.truncated"

	keyIncomplete       = "wirespan.incomplete"
	keyMissingSide      = "wirespan.missing.side"
	keyMissingReason    = "wirespan.missing.reason"
	keyPairingUncertain = "wirespan.pairing.uncertain"
	keyConnectionMidway = "wirespan.connection.midway"
	keyGapBytes         = "wirespan.gap_bytes"
	keyFlags            = "wirespan.flags"
)

// messageKeys are the attributes that a request and a response both have.
type messageKeys struct {
	size           string
	gapBytes       string
	incomplete     string
	midway         string
	headersDropped string
	bodySize       string
	describedSize  string // by the dissector, in place of bodySize; may be empty
	bodyKept       string
	bodyTruncated  string
	bodyCoding     string
	bodyUndecoded  string
	body           string // of protocols whose conventions name no attribute for it
	header         string // prefix, likewise
	trailer        string // prefix
}

var (
	requestKeys = messageKeys{
		size:           "wirespan.request.size",
		gapBytes:       "wirespan.request.gap_bytes",
		incomplete:     "wirespan.request.incomplete",
		midway:         "wirespan.request.midway",
		headersDropped: "wirespan.request.headers_dropped",
		bodySize:       "wirespan.request.body.size",
		bodyKept:       "wirespan.request.body.kept_size",
		bodyTruncated:  "wirespan.request.body.truncated",
		bodyCoding:     "wirespan.request.body.coding",
		bodyUndecoded:  "wirespan.request.body.undecoded",
		body:           "wirespan.request.body.content",
		header:         "wirespan.request.header.",
		trailer:        "wirespan.request.trailer.",
	}
	responseKeys = messageKeys{
		size:           "wirespan.response.size",
		gapBytes:       "wirespan.response.gap_bytes",
		incomplete:     "wirespan.response.incomplete",
		midway:         "wirespan.response.midway",
		headersDropped: "wirespan.response.headers_dropped",
		bodySize:       "wirespan.response.body.size",
		bodyKept:       "wirespan.response.body.kept_size",
		bodyTruncated:  "wirespan.response.body.truncated",
		bodyCoding:     "wirespan.response.body.coding",
		bodyUndecoded:  "wirespan.response.body.undecoded",
		body:           "wirespan.response.body.content",
		header:         "wirespan.response.header.",
		trailer:        "wirespan.response.trailer.",
	}
)

// Keys of the map that is a log record's body.
const (
	bodyRequest  = "request"
	bodyResponse = "response"
	bodyHeaders  = "headers"
	bodyTrailers = "trailers"
	bodyBody     = "body"
)
