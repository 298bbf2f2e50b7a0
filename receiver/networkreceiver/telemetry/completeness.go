// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"slices"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
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

// addCompleteness says what is missing, and how sure the rest is. Sizes are
// always there, the rest only where there is something to say.
func (c *call) addCompleteness(m *attributes, bodyCut [2]string) {
	if c.Request != nil {
		addMessage(m, c.Request, &c.protocol.request, bodyCut[0])
	}
	if c.Response != nil {
		addMessage(m, c.Response, &c.protocol.response, bodyCut[1])
	}
	if incomplete(c.Exchange) {
		m.Bool(semconv.Incomplete, true)
	}
	switch {
	case c.Missing == "": // whole, or a message that stands for itself
	case c.Request == nil:
		m.str(semconv.MissingSide, "request")
		m.strIfAny(semconv.MissingReason, string(c.Missing))
	case c.Response == nil:
		m.str(semconv.MissingSide, "response")
		m.strIfAny(semconv.MissingReason, string(c.Missing))
	}
	if c.Uncertain {
		m.Bool(semconv.PairingUncertain, true)
	}
	if c.Conn.Midway {
		m.Bool(semconv.ConnectionMidway, true)
	}
	if len(c.Interim) > 0 {
		m.Int(semconv.ResponseInterim, int64(len(c.Interim)))
	}
	c.addFlags(m)
}

// addMessage adds what one message was. cut is why its body is not whole on this
// record.
func addMessage(m *attributes, msg *dissect.Message, k *messageKeys, cut string) {
	addSizes(m, msg, k)
	if !msg.Content.SizeUnknown && msg.Content.KeptSize != msg.Content.BodySize {
		m.Int(k.bodyKept, int64(msg.Content.KeptSize))
	}
	m.strIfAny(k.bodyTruncated, cut)
	m.strIfAny(k.incomplete, string(msg.Incomplete))
	if msg.GapBytes > 0 {
		m.Int(k.gapBytes, int64(msg.GapBytes))
	}
	if msg.Midway {
		m.Bool(k.midway, true)
	}
	m.strIfAny(k.bodyCoding, msg.Content.Coding)
	if msg.Content.DecodeError {
		m.Bool(k.bodyUndecoded, true)
	}
	if n := len(msg.Content.Headers) - maxFields; n > 0 {
		m.Int(k.headersDropped, int64(n))
	}
}

// addSizes adds how much has come of a message, and of its body where the dissector has
// not said that.
func addSizes(m *attributes, msg *dissect.Message, k *messageKeys) {
	m.Int(k.size, int64(msg.Size))
	if !msg.Content.SizeUnknown && (k.describedSize == "" || !m.has(k.describedSize)) {
		m.Int(k.bodySize, int64(msg.Content.BodySize))
	}
}

// addFlags lists the flags of all messages, each once.
func (c *call) addFlags(m *attributes) {
	var flags []string
	add := func(msg *dissect.Message) {
		for _, flag := range msg.Flags {
			if flag = valid(flag); !slices.Contains(flags, flag) {
				flags = append(flags, flag)
			}
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
	m.flags(flags)
}

// flags adds the oddities of messages.
func (a *attributes) flags(names []string) {
	if len(names) > 0 {
		a.add(attribute{key: semconv.Flags, kind: ofStrs, strs: names})
	}
}

// outcome is the call's error by the conventions: the dissector's, or that the
// response did not come whole. What Wirespan itself has missed is no error.
func (c *call) outcome(s *dissect.Summary) (isError bool, errorType string) {
	if s.Error {
		return true, s.ErrorType
	}
	why := conn.Reason("")
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
func transportError(reason conn.Reason) string {
	switch reason {
	case conn.ReasonRST:
		return "connection_reset"
	case conn.ReasonFIN:
		return "connection_closed"
	case pair.ReasonTimeout, conn.ReasonIdle:
		return "timeout"
	}
	return ""
}
