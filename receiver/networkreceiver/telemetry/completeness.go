// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// incomplete reports whether anything of a call is missing, lost or cut.
func incomplete(x *pair.Exchange) bool {
	return x.Missing != "" || messageIncomplete(x.Request) || messageIncomplete(x.Response)
}

func messageIncomplete(m *dissect.Message) bool {
	return m != nil && (m.GapBytes > 0 || m.Incomplete != "" || m.Midway || m.Content.Truncated != "")
}

// completenessRoom is how many attributes addCompleteness adds to a record of
// which nothing is missing, and two more.
const completenessRoom = 8

// addCompleteness says what is missing, and how sure the rest is. Sizes are
// always there, the rest only where there is something to say.
func (c *call) addCompleteness(m pcommon.Map, bodyCut [2]string) {
	var gaps uint64
	if r := c.Request; r != nil {
		addMessage(m, r, &c.protocol.request, bodyCut[0])
		gaps += r.GapBytes
	}
	if r := c.Response; r != nil {
		addMessage(m, r, &c.protocol.response, bodyCut[1])
		gaps += r.GapBytes
	}
	if gaps > 0 {
		m.PutInt(keyGapBytes, int64(gaps))
	}
	if incomplete(c.Exchange) {
		m.PutBool(keyIncomplete, true)
	}
	switch {
	case c.Missing == "": // whole, or a message that stands for itself
	case c.Request == nil:
		m.PutStr(keyMissingSide, "request")
		putStr(m, keyMissingReason, c.Missing)
	case c.Response == nil:
		m.PutStr(keyMissingSide, "response")
		putStr(m, keyMissingReason, c.Missing)
	}
	if c.Uncertain {
		m.PutBool(keyPairingUncertain, true)
	}
	if c.Conn.Midway {
		m.PutBool(keyConnectionMidway, true)
	}
	if len(c.Interim) > 0 {
		m.PutInt(keyInterimResponses, int64(len(c.Interim)))
	}
	c.addFlags(m)
}

// addMessage adds what one message was. cut is why its body is not whole on this
// record.
func addMessage(m pcommon.Map, msg *dissect.Message, k *messageKeys, cut string) {
	m.PutInt(k.size, int64(msg.Size))
	m.PutInt(k.bodySize, int64(msg.Content.BodySize))
	m.PutInt(k.bodyKept, int64(msg.Content.KeptSize))
	putStr(m, k.bodyTruncated, cut)
	putStr(m, k.incomplete, msg.Incomplete)
	if msg.GapBytes > 0 {
		m.PutInt(k.gapBytes, int64(msg.GapBytes))
	}
	if msg.Midway {
		m.PutBool(k.midway, true)
	}
	putStr(m, k.bodyCoding, msg.Content.Coding)
	if msg.Content.DecodeError {
		m.PutBool(k.bodyUndecoded, true)
	}
	if n := len(msg.Content.Headers) - maxFields; n > 0 {
		m.PutInt(k.headersDropped, int64(n))
	}
}

// addFlags lists the flags of all messages, each once.
func (c *call) addFlags(m pcommon.Map) {
	var list pcommon.Slice
	n := 0
	add := func(msg *dissect.Message) {
		for _, flag := range msg.Flags {
			if n == 0 {
				list = m.PutEmptySlice(keyFlags)
			}
			if !holds(list, flag) {
				list.AppendEmpty().SetStr(valid(flag))
			}
			n++
		}
	}
	if c.Request != nil {
		add(c.Request)
	}
	for _, i := range c.Interim {
		add(i)
	}
	if c.Response != nil {
		add(c.Response)
	}
}

func holds(list pcommon.Slice, s string) bool {
	for _, v := range list.All() {
		if v.Str() == s {
			return true
		}
	}
	return false
}

// outcome is the call's error by the conventions: the dissector's, or that the
// response did not come whole. What Wirespan itself has missed is no error.
func (c *call) outcome(s *dissect.Summary) (isError bool, errorType string) {
	if s.Error {
		return true, s.ErrorType
	}
	why := ""
	switch {
	case c.Response == nil:
		why = c.Missing
	case c.Response.Incomplete != "":
		why = c.Response.Incomplete
	}
	if errorType = transportError(why); errorType != "" {
		return true, errorType
	}
	return false, s.ErrorType
}

// transportError is error.type for the reason why a response is missing or not
// whole. It is empty for reasons that lie with the capture, not with the call.
func transportError(reason string) string {
	switch reason {
	case "rst":
		return "connection_reset"
	case "fin":
		return "connection_closed"
	case "timeout", "idle":
		return "timeout"
	}
	return ""
}
