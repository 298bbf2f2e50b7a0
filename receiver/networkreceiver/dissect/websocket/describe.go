// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Describe tells of a call that is spoken in messages. The handshake is HTTP's.
func (Dissector) Describe(_ dissect.Side, req, _ *dissect.Message, out dissect.Attributes) dissect.Summary {
	if req != nil {
		if info, ok := req.Protocol.(*Info); ok {
			return info.DescribeCall(out)
		}
	}
	return dissect.Summary{Name: "websocket"}
}

var (
	_ httpmessage.TunnelInfo = (*Info)(nil)
	_ httpmessage.EventInfo  = (*Info)(nil)
)

// DescribeCall implements httpmessage.TunnelInfo.
func (i *Info) DescribeCall(out dissect.Attributes) dissect.Summary {
	out.Str("network.protocol.name", "websocket")
	if call, ok := i.said.(dialogue.Call); ok {
		return call.DescribeCall(out)
	}
	return dissect.Summary{Name: "websocket"}
}

// DescribeEvent tells what a message is. Its payload is in Message.Content.
func (Dissector) DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	return httpmessage.DescribeEvent(m, out)
}

// DescribeEvent implements httpmessage.EventInfo.
func (i *Info) DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	httpmessage.DescribeOrigin(m, out)
	out.Str("wirespan.websocket.opcode", i.Opcode)
	if i.Fragments > 1 {
		out.Int("wirespan.websocket.fragments", int64(i.Fragments))
	}
	if i.CloseCode > 0 {
		out.Int("wirespan.websocket.close.code", int64(i.CloseCode))
	}
	if i.CloseReason != "" {
		out.Str("wirespan.websocket.close.reason", i.CloseReason)
	}
	if i.said != nil {
		i.said.DescribeMessage(out)
	}
	switch i.Opcode {
	case "close", "ping", "pong":
		return "websocket." + i.Opcode
	}
	return "websocket.message"
}
