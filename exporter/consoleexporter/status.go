// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net/http"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
)

// result is how a call ended.
type result struct {
	text    string
	outcome outcome
}

// statusOf is the status of the protocol, of what HTTP carries rather than of HTTP: 200 OK
// is no success where the answer is an error.
func statusOf(attrs pcommon.Map) (string, outcome) {
	for _, of := range [...]func(pcommon.Map) result{rpcStatus, graphQLStatus, genAIStatus} {
		if r := of(attrs); r.text != "" {
			return r.text + carriedBy(attrs), r.outcome
		}
	}
	if code := str(attrs, semconv.DNSResponseCode); code != "" {
		return transportError(attrs, result{code, succeeded}, failed)
	}
	if code, ok := integer(attrs, semconv.HTTPResponseStatusCode); ok {
		return transportError(attrs, httpStatus(code), failed)
	}
	if kind := str(attrs, semconv.ErrorType); kind != "" {
		return kind, failed
	}
	if version := str(attrs, semconv.TLSProtocolVersion); version != "" && has(attrs, semconv.TLSEstablished) {
		return "TLS " + version, succeeded
	}
	return "", unknownOutcome
}

// transportError adds an error that the status does not tell: a response of 200 OK that
// broke off.
func transportError(attrs pcommon.Map, r result, as outcome) (string, outcome) {
	kind := str(attrs, semconv.ErrorType)
	if kind == "" || r.outcome != succeeded {
		return r.text, r.outcome
	}
	if has(attrs, semconv.DNSResponseCode) && r.text != "NOERROR" {
		return r.text, as // named as resolvers name it
	}
	return r.text + ", " + kind, as
}

func httpStatus(code int64) result {
	text := strconv.FormatInt(code, 10) + prefixed(" ", http.StatusText(int(code)))
	switch {
	case code >= 500:
		return result{text, failed}
	case code >= 400:
		return result{text, refused}
	}
	return result{text, succeeded}
}

// carriedBy names HTTP's status beside another one, unless it goes without saying.
func carriedBy(attrs pcommon.Map) string {
	code, ok := integer(attrs, semconv.HTTPResponseStatusCode)
	if !ok || code == http.StatusOK && str(attrs, semconv.RPCSystemName) == "grpc" {
		return ""
	}
	return " (HTTP " + strconv.FormatInt(code, 10) + ")"
}

// serverFaults are the codes of gRPC that mean an error also at the server's end.
var serverFaults = []string{"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}

func rpcStatus(attrs pcommon.Map) result {
	code := str(attrs, semconv.RPCResponseStatusCode)
	if str(attrs, semconv.RPCSystemName) == "jsonrpc" {
		return jsonRPCStatus(attrs, code)
	}
	switch {
	case code == "":
		return result{}
	case code == "OK" || code == "0":
		text, outcome := transportError(attrs, result{code, succeeded}, failed)
		return result{text, outcome}
	case slices.Contains(serverFaults, code):
		return result{code + prefixed(": ", str(attrs, semconv.RPCStatusMessage)), failed}
	}
	return result{code + prefixed(": ", str(attrs, semconv.RPCStatusMessage)), refused}
}

func jsonRPCStatus(attrs pcommon.Map, code string) result {
	message := prefixed(" ", str(attrs, semconv.JSONRPCErrorMessage))
	if n, ok := integer(attrs, semconv.JSONRPCBatchErrors); ok && n > 0 {
		return result{counted(n, "error") + prefixed(":", message), failed}
	}
	switch {
	case code != "":
		return result{code + message, failed}
	case str(attrs, semconv.ErrorType) == "tool_error":
		return result{"tool_error", failed}
	}
	return result{}
}

func graphQLStatus(attrs pcommon.Map) result {
	if n, ok := integer(attrs, semconv.GraphQLErrors); ok && n > 0 {
		return result{counted(n, "error") + prefixed(": ", list(attrs, semconv.GraphQLErrorMessages)), failed}
	}
	return result{}
}

// genAIStatus is an error that the provider names, in the middle of a stream too.
func genAIStatus(attrs pcommon.Map) result {
	if !has(attrs, semconv.GenAIOperationName) || !has(attrs, semconv.GenAIErrorMessage) {
		return result{}
	}
	message := str(attrs, semconv.GenAIErrorMessage)
	if kind := str(attrs, semconv.ErrorType); kind != "" {
		message = kind + prefixed(": ", message)
	}
	return result{message, failed}
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}
