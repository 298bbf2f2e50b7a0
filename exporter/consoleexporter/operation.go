// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
)

// operationOf names what was asked for, in the words of the protocol: a method of RPC, an
// operation of GraphQL, a question of DNS. What HTTP carries is followed by HTTP's request
// line, unless that says the same.
func operationOf(attrs pcommon.Map) string {
	request := requestLine(attrs)
	for _, of := range [...]func(pcommon.Map) string{rpcOperation, graphQLOperation, genAIOperation} {
		operation := of(attrs)
		switch {
		case operation == "":
		case request == "" || strings.HasSuffix(request, "/"+operation):
			return operation
		default:
			return operation + " (" + request + ")"
		}
	}
	if name := str(attrs, semconv.DNSQuestionName); name != "" {
		return strings.TrimSpace(str(attrs, semconv.DNSQuestionType) + " " + name)
	}
	if request == "" {
		return handshakeOf(attrs)
	}
	return request
}

// requestLine is HTTP's method and target.
func requestLine(attrs pcommon.Map) string {
	target := str(attrs, semconv.URLPath)
	if query := str(attrs, semconv.URLQuery); query != "" {
		target += "?" + query
	}
	if target == "" {
		target = targetOf(str(attrs, semconv.URLFull))
	}
	return strings.TrimSpace(firstOf(attrs, semconv.HTTPRequestMethodOriginal, semconv.HTTPRequestMethod) + " " + target)
}

// targetOf leaves out what the ends of the call tell already.
func targetOf(full string) string {
	u, err := url.Parse(full)
	if err != nil || u.Host == "" {
		return full
	}
	if u.EscapedPath() == "" {
		return "/" + prefixed("?", u.RawQuery)
	}
	return u.EscapedPath() + prefixed("?", u.RawQuery)
}

// rpcOperation is the method, in MCP followed by what it is about.
func rpcOperation(attrs pcommon.Map) string {
	if method := str(attrs, semconv.MCPMethodName); method != "" {
		return method + prefixed(" ", firstOf(attrs, semconv.GenAIToolName, semconv.GenAIPromptName, semconv.MCPResourceURI))
	}
	if n, ok := integer(attrs, semconv.JSONRPCBatchSize); ok {
		return "batch of " + strconv.FormatInt(n, 10) + prefixed(": ", list(attrs, semconv.JSONRPCBatchMethods))
	}
	return str(attrs, semconv.RPCMethod)
}

func graphQLOperation(attrs pcommon.Map) string {
	if n, ok := integer(attrs, semconv.GraphQLBatchSize); ok {
		return "batch of " + strconv.FormatInt(n, 10)
	}
	return strings.TrimSpace(str(attrs, semconv.GraphQLOperationType) + " " + str(attrs, semconv.GraphQLOperationName))
}

func genAIOperation(attrs pcommon.Map) string {
	if operation := str(attrs, semconv.GenAIOperationName); operation != "" {
		return operation + prefixed(" ", firstOf(attrs, semconv.GenAIRequestModel, semconv.GenAIResponseModel))
	}
	return ""
}

// handshakeOf names a handshake of TLS or QUIC and the server that it asks for; it is
// empty if there is none.
func handshakeOf(attrs pcommon.Map) string {
	name := "TLS"
	if str(attrs, semconv.NetworkProtocolName) == "quic" {
		name = "QUIC"
	}
	switch {
	case has(attrs, semconv.TLSClientVersions) || has(attrs, semconv.TLSEstablished):
		return name + " handshake" + prefixed(" ", str(attrs, semconv.ServerAddress))
	case has(attrs, semconv.TLSAlert):
		return name + " alert"
	}
	return ""
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
