// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// discard is a sink for benchmarks.
type discard struct{ messages int }

func (d *discard) Message(*dissect.Message) { d.messages++ }
func (*discard) Started(*dissect.Message)   {}
func (*discard) Upgrade(string)             {}
func (*discard) Limit(string)               {}
func (*discard) Keep(int) bool              { return true }
func (*discard) Release(int)                {}

const benchRequest = "GET /api/v1/items/42?full=1 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"

func benchResponse(body string) string {
	return "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: " +
		itoa(len(body)) + "\r\nConnection: keep-alive\r\n\r\n" + body
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// BenchmarkCall is one call with a small JSON response.
func BenchmarkCall(b *testing.B) {
	request, response := []byte(benchRequest), []byte(benchResponse(`{"id":42,"name":"a thing","price":12.5}`))
	sink := &discard{}
	c := Dissector{}.New(Dissector{}.Info().Limits, sink)
	m := dissect.MarksOf(conn.Mark{})
	b.ReportAllocs()
	b.SetBytes(int64(len(request) + len(response)))
	for b.Loop() {
		_, _, _ = c.Data(dissect.ToServer, m, request)
		_, _, _ = c.Data(dissect.ToClient, m, response)
	}
	if sink.messages < 2*b.N {
		b.Fatal(sink.messages)
	}
}

// BenchmarkDownload is a body far beyond the limit, in segments of 64 KiB.
func BenchmarkDownload(b *testing.B) {
	head := []byte(strings.Replace(benchResponse(""), "Content-Length: 0", "Content-Length: 1000000000000000", 1))
	segment := bytes.Repeat([]byte("x"), 64<<10)
	limits := Dissector{}.Info().Limits
	limits.BodyBytes = 1 << 10
	c := Dissector{}.New(limits, &discard{})
	m := dissect.MarksOf(conn.Mark{})
	_, _, _ = c.Data(dissect.ToServer, m, []byte(benchRequest))
	_, _, _ = c.Data(dissect.ToClient, m, head)
	b.ReportAllocs()
	b.SetBytes(int64(len(segment)))
	for b.Loop() {
		_, _, _ = c.Data(dissect.ToClient, m, segment)
	}
}

// BenchmarkProbe is what each new connection costs.
func BenchmarkProbe(b *testing.B) {
	request := []byte(benchRequest)
	b.ReportAllocs()
	for b.Loop() {
		if (Dissector{}).Probe(request, nil) != dissect.Yes {
			b.Fatal("not recognised")
		}
	}
}
