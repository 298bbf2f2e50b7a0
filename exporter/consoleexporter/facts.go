// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// factsOf is what a protocol has to say besides operation and status.
func factsOf(attrs pcommon.Map) []fact {
	var facts []fact
	add := func(label, text string, inLine bool) {
		if text != "" {
			facts = append(facts, fact{label, text, inLine})
		}
	}
	if asked, answered := str(attrs, keyRequestModel), str(attrs, keyResponseModel); asked != "" && answered != asked {
		add("Model", answered, false)
	}
	add("Tokens", tokensOf(attrs), true)
	add("Finish reason", list(attrs, keyFinish), false)
	add("Messages", messagesOf(attrs), true)
	add("Answers", list(attrs, keyDNSAnswers), true)
	if !has(attrs, keyTLSEstablished) {
		add("TLS", str(attrs, keyTLSVersion), false)
	} else {
		add("Cipher", str(attrs, keyTLSCipher), false)
		add("ALPN", str(attrs, keyTLSALPN), false)
		add("Certificate", str(attrs, keyTLSSubject), false)
	}
	if alert := str(attrs, keyTLSAlert); alert != "" {
		add("Alert", alert+prefixed(" by the ", str(attrs, keyTLSAlertBy)), !has(attrs, keyErrorType))
	}
	return facts
}

func tokensOf(attrs pcommon.Map) string {
	in, okIn := integer(attrs, keyInputUsage)
	out, okOut := integer(attrs, keyOutputUsage)
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
	sent, _ := integer(attrs, keyRPCRequests)
	got, ok := integer(attrs, keyRPCResponses)
	if !ok {
		got, _ = integer(attrs, keySSEEvents)
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
