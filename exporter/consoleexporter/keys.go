// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

// Attributes that are read, by the semantic conventions.
const (
	keyContainerID   = "container.id"
	keyNamespace     = "k8s.namespace.name"
	keyPodName       = "k8s.pod.name"
	keyProcessName   = "process.executable.name"
	keyProcessTitle  = "process.command"
	keyPID           = "process.pid"
	keyServiceName   = "service.name"
	keyPeerName      = "service.peer.name"
	keyPeerNamespace = "service.peer.namespace"

	keyClientAddress = "client.address"
	keyClientPort    = "client.port"
	keyServerAddress = "server.address"
	keyServerPort    = "server.port"
	keyPeerAddress   = "network.peer.address"
	keyPeerPort      = "network.peer.port"
	keyLocalAddress  = "network.local.address"
	keyLocalPort     = "network.local.port"

	keyErrorType      = "error.type"
	keyDNSName        = "dns.question.name"
	keyMethod         = "http.request.method"
	keyMethodOriginal = "http.request.method_original"
	keyProtocol       = "network.protocol.name"
	keyTLSEstablished = "tls.established"
	keyTLSVersion     = "tls.protocol.version"
	keyStatusCode     = "http.response.status_code"
	keyURLFull        = "url.full"
	keyURLPath        = "url.path"
	keyURLQuery       = "url.query"
)

// Attributes of our own that are read (docs/telemetry.md). Those with the prefix
// of a message's name are in messageOf.
const (
	keyOwnProcessName  = "wirespan.process.name"
	keyPeerProcessName = "wirespan.peer.process.name"
	keyPeerProcessPID  = "wirespan.peer.process.pid"
	keyPeerContainerID = "wirespan.peer.container.id"
	keyMissingSide     = "wirespan.missing.side"
	keyMissingReason   = "wirespan.missing.reason"
	keyUncertain       = "wirespan.pairing.uncertain"
	keySide            = "wirespan.side"
	keyDNSType         = "wirespan.dns.question.type"
	keyTLSVersions     = "wirespan.tls.client.versions"
	keyTLSAlert        = "wirespan.tls.alert"
	keyDNSCode         = "wirespan.dns.response.code"
	// keyResponseTime is from the request's first byte to the response's last, in
	// nanoseconds.
	keyResponseTime = "wirespan.time.last_response_byte"
)
