// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package seed

import (
	"net"
	"slices"
	"strconv"

	"github.com/gopacket/gopacket/layers"
)

// Conversation is what the two ends of a connection said.
type Conversation struct {
	UDP   bool
	Port  uint16 // of the end that was spoken to first
	Turns []Turn
}

// Turn is the payload of one segment or datagram.
type Turn struct {
	Back bool // it came from the end that was spoken to first
	Data []byte
}

// Bytes gives all that was said in each direction.
func (c *Conversation) Bytes() (there, back []byte) {
	for _, turn := range c.Turns {
		if turn.Back {
			back = append(back, turn.Data...)
		} else {
			there = append(there, turn.Data...)
		}
	}
	return there, back
}

// flow is a connection while its segments are collected.
type flow struct {
	Conversation
	from  string
	next  [2]uint32 // TCP: the number of the next byte
	known [2]bool
	size  int
}

// conversations sorts the payloads of frames by connection, most bytes of each.
// What was sent again is left out; nothing is put in order.
func conversations(frames []Frame, most int) []Conversation {
	flows := map[string]*flow{}
	var order []*flow
	for i := range frames {
		packet := frames[i].decode()
		network, transport := packet.NetworkLayer(), packet.TransportLayer()
		if network == nil || transport == nil || len(transport.LayerPayload()) == 0 {
			continue
		}
		ends := network.NetworkFlow()
		var from, to string
		var port uint16
		var tcp *layers.TCP
		switch layer := transport.(type) {
		case *layers.TCP:
			tcp, port = layer, uint16(layer.DstPort)
			from, to = address(ends.Src().String(), uint16(layer.SrcPort)), address(ends.Dst().String(), port)
		case *layers.UDP:
			port = uint16(layer.DstPort)
			from, to = address(ends.Src().String(), uint16(layer.SrcPort)), address(ends.Dst().String(), port)
		default:
			continue
		}
		key := min(from, to) + max(from, to)
		if tcp == nil {
			key += "udp"
		}
		f := flows[key]
		if f == nil {
			f = &flow{Conversation: Conversation{UDP: tcp == nil, Port: port}, from: from}
			flows[key], order = f, append(order, f)
		}
		f.add(from != f.from, tcp, transport.LayerPayload(), most)
	}
	var all []Conversation
	for _, f := range order {
		if len(f.Turns) > 0 {
			all = append(all, f.Conversation)
		}
	}
	return all
}

func address(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

func (f *flow) add(back bool, tcp *layers.TCP, payload []byte, most int) {
	d := 0
	if back {
		d = 1
	}
	if tcp != nil {
		if again := int(int32(f.next[d] - tcp.Seq)); f.known[d] && again > 0 {
			payload = payload[min(again, len(payload)):]
		}
		if len(payload) == 0 {
			return
		}
		f.next[d], f.known[d] = tcp.Seq+uint32(len(tcp.Payload)), true
	}
	payload = payload[:min(len(payload), most-f.size)]
	if len(payload) == 0 {
		return
	}
	f.size += len(payload)
	f.Turns = append(f.Turns, Turn{back, slices.Clone(payload)})
}
