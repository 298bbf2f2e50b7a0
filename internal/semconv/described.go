// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package semconv

// What dissectors say of calls, and what other components add to them.

// Attributes by the semantic conventions.
const (
	DNSQuestionName = "dns.question.name"

	GenAIOperationName         = "gen_ai.operation.name"
	GenAIPromptName            = "gen_ai.prompt.name"
	GenAIRequestModel          = "gen_ai.request.model"
	GenAIResponseFinishReasons = "gen_ai.response.finish_reasons"
	GenAIResponseModel         = "gen_ai.response.model"
	GenAIToolName              = "gen_ai.tool.name"
	GenAIUsageInputTokens      = "gen_ai.usage.input_tokens"  //nolint:gosec // no secret
	GenAIUsageOutputTokens     = "gen_ai.usage.output_tokens" //nolint:gosec // no secret

	GraphQLOperationName = "graphql.operation.name"
	GraphQLOperationType = "graphql.operation.type"

	HTTPRequestMethod         = "http.request.method"
	HTTPRequestMethodOriginal = "http.request.method_original"
	HTTPResponseStatusCode    = "http.response.status_code"

	K8SNamespaceName = "k8s.namespace.name"
	K8SPodName       = "k8s.pod.name"

	MCPMethodName  = "mcp.method.name"
	MCPResourceURI = "mcp.resource.uri"

	PeerService = "peer.service"

	RPCMethod             = "rpc.method"
	RPCResponseStatusCode = "rpc.response.status_code"
	RPCSystemName         = "rpc.system.name"

	ServicePeerNamespace = "service.peer.namespace"

	SpanKind = "span.kind"

	TLSCipher          = "tls.cipher"
	TLSEstablished     = "tls.established"
	TLSNextProtocol    = "tls.next_protocol"
	TLSProtocolVersion = "tls.protocol.version"
	TLSServerSubject   = "tls.server.subject"
)

// Attributes of Wirespan.
const (
	DNSID              = "wirespan.dns.id"
	DNSQuestionType    = "wirespan.dns.question.type"
	DNSResponseAnswers = "wirespan.dns.response.answers"
	DNSResponseCode    = "wirespan.dns.response.code"

	GenAIErrorMessage = "wirespan.gen_ai.error.message"

	GraphQLBatchSize     = "wirespan.graphql.batch.size"
	GraphQLErrorMessages = "wirespan.graphql.error.messages"
	GraphQLErrors        = "wirespan.graphql.errors"
	GraphQLMessageType   = "wirespan.graphql.message.type"

	HTTP2UnknownFields = "wirespan.http2.unknown_fields"

	JSONRPCBatchErrors  = "wirespan.jsonrpc.batch.errors"
	JSONRPCBatchMethods = "wirespan.jsonrpc.batch.methods"
	JSONRPCBatchSize    = "wirespan.jsonrpc.batch.size"
	JSONRPCErrorMessage = "wirespan.jsonrpc.error.message"

	PeerKind = "wirespan.peer.kind"

	RPCMessageNumber    = "wirespan.rpc.message.number"
	RPCRequestMessages  = "wirespan.rpc.request.messages"
	RPCResponseMessages = "wirespan.rpc.response.messages"
	RPCStatusMessage    = "wirespan.rpc.status_message"

	SSEEventID      = "wirespan.sse.event.id"
	SSEEventType    = "wirespan.sse.event.type"
	SSEEvents       = "wirespan.sse.events"
	SSESkippedBytes = "wirespan.sse.skipped_bytes"

	TLSAlert          = "wirespan.tls.alert"
	TLSAlertBy        = "wirespan.tls.alert.by"
	TLSClientVersions = "wirespan.tls.client.versions"

	WebSocketCloseCode   = "wirespan.websocket.close.code"
	WebSocketCloseReason = "wirespan.websocket.close.reason"
	WebSocketOpcode      = "wirespan.websocket.opcode"
)
