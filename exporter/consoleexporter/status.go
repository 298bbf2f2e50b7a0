// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"net/http"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
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
	if code := str(attrs, keyDNSCode); code != "" {
		return transportError(attrs, result{code, succeeded}, failed)
	}
	if code, ok := integer(attrs, keyStatusCode); ok {
		return transportError(attrs, httpStatus(code), failed)
	}
	if kind := str(attrs, keyErrorType); kind != "" {
		return kind, failed
	}
	if version := str(attrs, keyTLSVersion); version != "" && has(attrs, keyTLSEstablished) {
		return "TLS " + version, succeeded
	}
	return "", unknownOutcome
}

// transportError adds an error that the status does not tell: a response of 200 OK that
// broke off.
func transportError(attrs pcommon.Map, r result, as outcome) (string, outcome) {
	kind := str(attrs, keyErrorType)
	if kind == "" || r.outcome != succeeded {
		return r.text, r.outcome
	}
	if has(attrs, keyDNSCode) && r.text != "NOERROR" {
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
	code, ok := integer(attrs, keyStatusCode)
	if !ok || code == http.StatusOK && str(attrs, keyRPCSystem) == "grpc" {
		return ""
	}
	return " (HTTP " + strconv.FormatInt(code, 10) + ")"
}

// serverFaults are the codes of gRPC that mean an error also at the server's end.
var serverFaults = []string{"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}

func rpcStatus(attrs pcommon.Map) result {
	code := str(attrs, keyRPCStatus)
	if str(attrs, keyRPCSystem) == "jsonrpc" {
		return jsonRPCStatus(attrs, code)
	}
	switch {
	case code == "":
		return result{}
	case code == "OK" || code == "0":
		text, outcome := transportError(attrs, result{code, succeeded}, failed)
		return result{text, outcome}
	case slices.Contains(serverFaults, code):
		return result{code + prefixed(": ", str(attrs, keyRPCStatusText)), failed}
	}
	return result{code + prefixed(": ", str(attrs, keyRPCStatusText)), refused}
}

func jsonRPCStatus(attrs pcommon.Map, code string) result {
	message := prefixed(" ", str(attrs, keyJSONRPCError))
	if n, ok := integer(attrs, keyJSONRPCFailed); ok && n > 0 {
		return result{counted(n, "error") + prefixed(":", message), failed}
	}
	switch {
	case code != "":
		return result{code + message, failed}
	case str(attrs, keyErrorType) == "tool_error":
		return result{"tool_error", failed}
	}
	return result{}
}

func graphQLStatus(attrs pcommon.Map) result {
	if n, ok := integer(attrs, keyGraphQLErrors); ok && n > 0 {
		return result{counted(n, "error") + prefixed(": ", list(attrs, keyGraphQLMessages)), failed}
	}
	return result{}
}

// genAIStatus is an error that the provider names, in the middle of a stream too.
func genAIStatus(attrs pcommon.Map) result {
	if !has(attrs, keyGenAI) || !has(attrs, keyGenAIError) {
		return result{}
	}
	message := str(attrs, keyGenAIError)
	if kind := str(attrs, keyErrorType); kind != "" {
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
