// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// Describe is for calls, of which there are none: the handshake is HTTP's.
func (Dissector) Describe(dissect.Side, *dissect.Message, *dissect.Message, dissect.Attributes) dissect.Summary {
	return dissect.Summary{Name: "websocket"}
}

// DescribeEvent tells what a message is. Its payload is in Message.Content.
func (Dissector) DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	return DescribeEvent(m, out)
}

// DescribeEvent is the same for a stream of HTTP/2.
func DescribeEvent(m *dissect.Message, out dissect.Attributes) (name string) {
	info, ok := m.Protocol.(*Info)
	if !ok {
		return "websocket.message"
	}
	out.Str("wirespan.websocket.opcode", info.Opcode)
	if info.Fragments > 1 {
		out.Int("wirespan.websocket.fragments", int64(info.Fragments))
	}
	if info.CloseCode > 0 {
		out.Int("wirespan.websocket.close.code", int64(info.CloseCode))
	}
	if info.CloseReason != "" {
		out.Str("wirespan.websocket.close.reason", info.CloseReason)
	}
	switch info.Opcode {
	case "close", "ping", "pong":
		return "websocket." + info.Opcode
	}
	return "websocket.message"
}
