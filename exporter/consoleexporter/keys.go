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
	keyTransport     = "network.transport"
	keyProtocol      = "network.protocol.name"

	keyErrorType      = "error.type"
	keyMethod         = "http.request.method"
	keyMethodOriginal = "http.request.method_original"
	keyStatusCode     = "http.response.status_code"
	keyURLFull        = "url.full"
	keyURLPath        = "url.path"
	keyURLQuery       = "url.query"

	keyRPCSystem     = "rpc.system.name"
	keyRPCMethod     = "rpc.method"
	keyRPCStatus     = "rpc.response.status_code"
	keyMCPMethod     = "mcp.method.name"
	keyMCPResource   = "mcp.resource.uri"
	keyToolName      = "gen_ai.tool.name"
	keyPromptName    = "gen_ai.prompt.name"
	keyGraphQLType   = "graphql.operation.type"
	keyGraphQLName   = "graphql.operation.name"
	keyGenAI         = "gen_ai.operation.name"
	keyRequestModel  = "gen_ai.request.model"
	keyResponseModel = "gen_ai.response.model"
	keyInputUsage    = "gen_ai.usage.input_tokens"
	keyOutputUsage   = "gen_ai.usage.output_tokens"
	keyFinish        = "gen_ai.response.finish_reasons"

	keyDNSName        = "dns.question.name"
	keyTLSEstablished = "tls.established"
	keyTLSVersion     = "tls.protocol.version"
	keyTLSCipher      = "tls.cipher"
	keyTLSALPN        = "tls.next_protocol"
	keyTLSSubject     = "tls.server.subject"
)

// Attributes of our own that are read (docs/telemetry.md). Those with the prefix
// of a message's name are in messageOf.
const (
	keyOwnProcessName  = "wirespan.process.name"
	keyPeerProcessName = "wirespan.peer.process.name"
	keyPeerProcessPID  = "wirespan.peer.process.pid"
	keyPeerContainerID = "wirespan.peer.container.id"
	keySpanParentID    = "wirespan.span.parent_id"
	keyPeerCaptured    = "wirespan.peer.captured"
	keyMissingSide     = "wirespan.missing.side"
	keyMissingReason   = "wirespan.missing.reason"
	keyUncertain       = "wirespan.pairing.uncertain"
	keySide            = "wirespan.side"
	keyElapsed         = "wirespan.time.elapsed"
	keyRequestTime     = "wirespan.time.last_request_byte"
	// keyResponseTime is from the request's first byte to the response's last, in
	// nanoseconds.
	keyResponseTime = "wirespan.time.last_response_byte"

	keyDirection      = "wirespan.event.direction"
	keyEventSize      = "wirespan.event.size"
	keyEventTruncated = "wirespan.event.truncated"
	keyGapBytes       = "wirespan.gap_bytes"

	keyUnknownFields = "wirespan.http2.unknown_fields"
	keyOpcode        = "wirespan.websocket.opcode"
	keyCloseCode     = "wirespan.websocket.close.code"
	keyCloseReason   = "wirespan.websocket.close.reason"
	keySSEType       = "wirespan.sse.event.type"
	keySSEID         = "wirespan.sse.event.id"
	keySSESkipped    = "wirespan.sse.skipped_bytes"
	keySSEEvents     = "wirespan.sse.events"

	keyRPCMessage      = "wirespan.rpc.message.number"
	keyRPCStatusText   = "wirespan.rpc.status_message"
	keyRPCRequests     = "wirespan.rpc.request.messages"
	keyRPCResponses    = "wirespan.rpc.response.messages"
	keyJSONRPCError    = "wirespan.jsonrpc.error.message"
	keyJSONRPCBatch    = "wirespan.jsonrpc.batch.size"
	keyJSONRPCMethods  = "wirespan.jsonrpc.batch.methods"
	keyJSONRPCFailed   = "wirespan.jsonrpc.batch.errors"
	keyGraphQLErrors   = "wirespan.graphql.errors"
	keyGraphQLMessages = "wirespan.graphql.error.messages"
	keyGraphQLMessage  = "wirespan.graphql.message.type"
	keyGraphQLBatch    = "wirespan.graphql.batch.size"
	keyGenAIError      = "wirespan.gen_ai.error.message"

	keyDNSID       = "wirespan.dns.id"
	keyDNSType     = "wirespan.dns.question.type"
	keyDNSCode     = "wirespan.dns.response.code"
	keyDNSAnswers  = "wirespan.dns.response.answers"
	keyTLSVersions = "wirespan.tls.client.versions"
	keyTLSAlert    = "wirespan.tls.alert"
	keyTLSAlertBy  = "wirespan.tls.alert.by"
)
