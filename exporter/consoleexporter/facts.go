// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
)

// factsOf is what a protocol has to say besides operation and status.
func factsOf(attrs pcommon.Map) []fact {
	var facts []fact
	add := func(label, text string, inLine bool) {
		if text != "" {
			facts = append(facts, fact{label, text, inLine})
		}
	}
	if asked, answered := str(attrs, semconv.GenAIRequestModel), str(attrs, semconv.GenAIResponseModel); asked != "" && answered != asked {
		add("Model", answered, false)
	}
	add("Tokens", tokensOf(attrs), true)
	add("Finish reason", list(attrs, semconv.GenAIResponseFinishReasons), false)
	add("Messages", messagesOf(attrs), true)
	add("Answers", list(attrs, semconv.DNSResponseAnswers), true)
	if !has(attrs, semconv.TLSEstablished) {
		add("TLS", str(attrs, semconv.TLSProtocolVersion), false)
	} else {
		add("Cipher", str(attrs, semconv.TLSCipher), false)
		add("ALPN", str(attrs, semconv.TLSNextProtocol), false)
		add("Certificate", str(attrs, semconv.TLSServerSubject), false)
	}
	if alert := str(attrs, semconv.TLSAlert); alert != "" {
		add("Alert", alert+prefixed(" by the ", str(attrs, semconv.TLSAlertBy)), !has(attrs, semconv.ErrorType))
	}
	return facts
}

func tokensOf(attrs pcommon.Map) string {
	in, okIn := integer(attrs, semconv.GenAIUsageInputTokens)
	out, okOut := integer(attrs, semconv.GenAIUsageOutputTokens)
	switch {
	case okIn && okOut:
		return strconv.FormatInt(in, 10) + " in, " + strconv.FormatInt(out, 10) + " out"
	case okIn:
		return strconv.FormatInt(in, 10) + " in"
	case okOut:
		return strconv.FormatInt(out, 10) + " out"
	}
	return ""
}

// messagesOf counts those of a stream, which have entries of their own.
func messagesOf(attrs pcommon.Map) string {
	sent, _ := integer(attrs, semconv.RPCRequestMessages)
	got, ok := integer(attrs, semconv.RPCResponseMessages)
	if !ok {
		got, _ = integer(attrs, semconv.SSEEvents)
	}
	switch {
	case sent > 0 && got > 0:
		return strconv.FormatInt(sent, 10) + " sent, " + strconv.FormatInt(got, 10) + " received"
	case sent > 0:
		return strconv.FormatInt(sent, 10) + " sent"
	case got > 0:
		return strconv.FormatInt(got, 10) + " received"
	}
	return ""
}
