// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// discard is a sink that counts.
type discard struct{ messages int }

func (d *discard) Message(*dissect.Message) { d.messages++ }
func (*discard) Started(*dissect.Message)   {}
func (*discard) Upgrade(string)             {}
func (*discard) Limit(string)               {}
func (*discard) Keep(int) bool              { return true }
func (*discard) Release(int)                {}

// BenchmarkCall reads unary calls with 1 KiB messages and trailers, as gRPC makes them.
func BenchmarkCall(b *testing.B) {
	client, server := newEnd(), newEnd()
	body := make([]byte, 1024)
	call := func(id uint32) (in, out []byte) {
		client.headers(id, false, ":method", "POST", ":scheme", "http", ":path", "/pkg.Service/Method", ":authority", "a.example:50051",
			"content-type", "application/grpc", "user-agent", "grpc-go/1.60", "te", "trailers")
		_ = client.WriteData(id, true, body)
		server.headers(id, false, ":status", "200", "content-type", "application/grpc")
		_ = server.WriteData(id, false, body)
		server.headers(id, true, "grpc-status", "0", "grpc-message", "")
		in, out = bytes.Clone(client.out.Bytes()), bytes.Clone(server.out.Bytes())
		client.out.Reset()
		server.out.Reset()
		return in, out
	}
	sink := &discard{}
	c := Dissector{}.New(Dissector{}.Info().Limits, sink)
	play := func(d dissect.Direction, data []byte) {
		if used, _, err := c.Data(d, dissect.MarksOf(conn.Mark{Time: 1}), data); err != nil || used != len(data) {
			b.Fatal("not used")
		}
	}
	play(toServer, []byte(preface))
	_ = server.WriteSettings()
	play(toClient, server.out.Bytes())
	server.out.Reset()
	in, out := call(1)
	play(toServer, in)
	play(toClient, out)
	in, out = call(3) // all fields are in the tables
	b.ReportAllocs()
	b.ResetTimer()
	id := uint32(3)
	for b.Loop() {
		number(in, id)
		number(out, id)
		play(toServer, in)
		play(toClient, out)
		id += 2
	}
	if sink.messages == 0 {
		b.Fatal("no message")
	}
}

// number gives all frames another stream.
func number(b []byte, id uint32) {
	for len(b) >= headerSize {
		binary.BigEndian.PutUint32(b[5:], id)
		b = b[headerSize+parseFrame(b).length:]
	}
}
