// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
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
	if name := str(attrs, keyDNSName); name != "" {
		return strings.TrimSpace(str(attrs, keyDNSType) + " " + name)
	}
	if request == "" {
		return handshakeOf(attrs)
	}
	return request
}

// requestLine is HTTP's method and target.
func requestLine(attrs pcommon.Map) string {
	target := str(attrs, keyURLPath)
	if query := str(attrs, keyURLQuery); query != "" {
		target += "?" + query
	}
	if target == "" {
		target = targetOf(str(attrs, keyURLFull))
	}
	return strings.TrimSpace(firstOf(attrs, keyMethodOriginal, keyMethod) + " " + target)
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
	if method := str(attrs, keyMCPMethod); method != "" {
		return method + prefixed(" ", firstOf(attrs, keyToolName, keyPromptName, keyMCPResource))
	}
	if n, ok := integer(attrs, keyJSONRPCBatch); ok {
		return "batch of " + strconv.FormatInt(n, 10) + prefixed(": ", list(attrs, keyJSONRPCMethods))
	}
	return str(attrs, keyRPCMethod)
}

func graphQLOperation(attrs pcommon.Map) string {
	if n, ok := integer(attrs, keyGraphQLBatch); ok {
		return "batch of " + strconv.FormatInt(n, 10)
	}
	return strings.TrimSpace(str(attrs, keyGraphQLType) + " " + str(attrs, keyGraphQLName))
}

func genAIOperation(attrs pcommon.Map) string {
	if operation := str(attrs, keyGenAI); operation != "" {
		return operation + prefixed(" ", firstOf(attrs, keyRequestModel, keyResponseModel))
	}
	return ""
}

// handshakeOf names a handshake of TLS or QUIC and the server that it asks for; it is
// empty if there is none.
func handshakeOf(attrs pcommon.Map) string {
	name := "TLS"
	if str(attrs, keyProtocol) == "quic" {
		name = "QUIC"
	}
	switch {
	case has(attrs, keyTLSVersions) || has(attrs, keyTLSEstablished):
		return name + " handshake" + prefixed(" ", str(attrs, keyServerAddress))
	case has(attrs, keyTLSAlert):
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
