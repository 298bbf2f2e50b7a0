// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// writer makes valid connections at random.
type writer struct {
	*rand.Rand
	requests, responses bytes.Buffer
	methods             []string
}

func (w *writer) pick(from ...string) string { return from[w.IntN(len(from))] }

func (w *writer) word() string {
	b := make([]byte, 1+w.IntN(12))
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789-"[w.IntN(36)]
	}
	return string(b)
}

func (w *writer) bytes(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.Uint32())
	}
	return string(b)
}

func (w *writer) fields(b *bytes.Buffer) {
	for range w.IntN(6) {
		fmt.Fprintf(b, "X-%s:%s%s%s\r\n", w.word(), w.pick("", " ", "\t "), w.pick(w.word(), "", "a: b, c; d=\"e\""), w.pick("", " "))
	}
}

// body ends the header section and writes a body in one of the two framings.
func (w *writer) body(b *bytes.Buffer, chunked bool) {
	if !chunked {
		body := w.bytes(w.IntN(3000))
		fmt.Fprintf(b, "Content-Length: %d\r\n\r\n%s", len(body), body)
		return
	}
	b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
	for range w.IntN(5) {
		chunk := w.bytes(1 + w.IntN(900))
		fmt.Fprintf(b, "%s%x%s\r\n%s\r\n", w.pick("", "0"), len(chunk), w.pick("", ";"+w.word(), ";a=b"), chunk)
	}
	b.WriteString("0\r\n")
	for range w.IntN(3) {
		fmt.Fprintf(b, "X-%s: %s\r\n", w.word(), w.word())
	}
	b.WriteString("\r\n")
}

func (w *writer) call(last bool) {
	method := w.pick("GET", "HEAD", "POST", "PUT", "OPTIONS", "PROPFIND", "BREW")
	w.methods = append(w.methods, method)
	fmt.Fprintf(&w.requests, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, w.pick("/"+w.word(), "/?"+w.word(), "http://a/"+w.word()), "a")
	w.fields(&w.requests)
	if method == "GET" || method == "HEAD" || w.IntN(3) == 0 {
		w.requests.WriteString("\r\n")
	} else {
		w.body(&w.requests, w.IntN(2) == 0)
	}
	status := w.pick("200 OK", "200", "204 No Content", "304 Not Modified", "404 Not Found", "500 ")
	fmt.Fprintf(&w.responses, "HTTP/1.1 %s\r\n", status)
	w.fields(&w.responses)
	switch {
	case status[0] == '3' || status == "204 No Content":
		w.responses.WriteString("\r\n")
	case method == "HEAD":
		w.responses.WriteString(w.pick("Content-Length: 1234\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"))
	case last && w.IntN(2) == 0:
		fmt.Fprintf(&w.responses, "Connection: close\r\n\r\n%s", w.bytes(w.IntN(2000)))
	default:
		w.body(&w.responses, w.IntN(2) == 0)
	}
}

// flat is a message in a form that both parsers can be brought to.
type flat struct {
	Start, Body       string
	Headers, Trailers []string
}

func flatHeader(h http.Header) (lines []string) {
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, strings.ToLower(name)+": "+v)
		}
	}
	slices.Sort(lines)
	return lines
}

// flatten leaves out what net/http takes out of the header.
func flatten(m *dissect.Message) (f flat) {
	switch info := m.Protocol.(type) {
	case *RequestInfo:
		f.Start = info.Method + " " + info.Target
	case *ResponseInfo:
		f.Start = fmt.Sprint(info.Status)
	}
	for _, h := range m.Content.Headers {
		if name := strings.ToLower(h.Name); name != "host" && name != "content-length" && name != "transfer-encoding" && name != "connection" {
			f.Headers = append(f.Headers, name+": "+h.Value)
		}
	}
	for _, h := range m.Content.Trailers {
		f.Trailers = append(f.Trailers, strings.ToLower(h.Name)+": "+h.Value)
	}
	slices.Sort(f.Headers)
	slices.Sort(f.Trailers)
	f.Body = string(m.Content.Body)
	return f
}

func (w *writer) expected(t *testing.T) (requests, responses []flat) {
	drop := func(h http.Header) http.Header {
		h.Del("Content-Length")
		h.Del("Connection")
		return h
	}
	in, out := bufio.NewReader(&w.requests), bufio.NewReader(&w.responses)
	for _, method := range w.methods {
		req, err := http.ReadRequest(in)
		require.NoError(t, err)
		body, err := io.ReadAll(req.Body)
		require.NoError(t, err)
		requests = append(requests, flat{req.Method + " " + req.RequestURI, string(body), flatHeader(drop(req.Header)), flatHeader(req.Trailer)})

		resp, err := http.ReadResponse(out, &http.Request{Method: method})
		require.NoError(t, err)
		body, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		responses = append(responses, flat{fmt.Sprint(resp.StatusCode), string(body), flatHeader(drop(resp.Header)), flatHeader(resp.Trailer)})
	}
	return requests, responses
}

// TestAgainstNetHTTP compares random pipelined connections, cut at random, with
// what the parser of Go's standard library makes of them.
func TestAgainstNetHTTP(t *testing.T) {
	for seed := range uint64(200) {
		w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))}
		calls := 1 + w.IntN(6)
		for i := range calls {
			w.call(i == calls-1)
		}
		p := newPlayer(Dissector{}.Info().Limits)
		for _, side := range []step{{dir: toServer, data: w.requests.String()}, {dir: toClient, data: w.responses.String()}} {
			for rest := side.data; rest != ""; {
				n := 1 + w.IntN(min(len(rest), 1500))
				p.play(step{dir: side.dir, data: rest[:n]})
				rest = rest[n:]
			}
		}
		p.play(ends(toServer, conn.ReasonFIN), ends(toClient, conn.ReasonFIN))
		var got [2][]flat
		for _, m := range p.sink.messages {
			require.Empty(t, m.Incomplete, "seed %d", seed)
			require.Empty(t, m.Flags, "seed %d", seed)
			got[m.Direction] = append(got[m.Direction], flatten(m))
		}
		requests, responses := w.expected(t)
		require.Equal(t, requests, got[toServer], "seed %d", seed)
		require.Equal(t, responses, got[toClient], "seed %d", seed)
		p.check(t)
	}
}
