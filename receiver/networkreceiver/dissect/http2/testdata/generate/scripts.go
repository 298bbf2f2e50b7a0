// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ignore

// Makes ../*.script anew: cases that ordinary programs don't give. In the folder of
// the dissector: go run testdata/generate/scripts.go
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// side is one end: what it sends, and its header table.
type side struct {
	sign   string
	framed bytes.Buffer
	framer *http2.Framer
	coded  bytes.Buffer
	coder  *hpack.Encoder
	out    *script
}

// script is one connection.
type script struct {
	text           strings.Builder
	client, server *side
}

func newScript(about string) *script {
	s := &script{}
	s.line("# %s", about)
	s.client, s.server = s.side(">"), s.side("<")
	return s
}

func (s *script) side(sign string) *side {
	e := &side{sign: sign, out: s}
	e.framer = http2.NewFramer(&e.framed, nil)
	e.framer.AllowIllegalWrites = true
	e.coder = hpack.NewEncoder(&e.coded)
	return e
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(&s.text, format+"\n", args...) }

// begin is the beginning of a connection that was seen.
func (s *script) begin() *script {
	s.line(`> "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"`)
	s.client.settings()
	s.server.settings()
	return s
}

func (s *script) write(name string) {
	file := filepath.Join("testdata", name+".script")
	if err := os.WriteFile(file, []byte(s.text.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// block encodes a header section: names and values in turn.
func (e *side) block(fields ...string) []byte {
	e.coded.Reset()
	for i := 0; i < len(fields); i += 2 {
		if err := e.coder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			log.Fatal(err)
		}
	}
	return bytes.Clone(e.coded.Bytes())
}

// flush writes what was framed as one segment.
func (e *side) flush(about string) {
	if about != "" {
		e.out.line("# %s", about)
	}
	first := true
	for b := e.framed.Next(32); len(b) > 0; b = e.framed.Next(32) {
		sign := " "
		if first {
			sign = e.sign
		}
		first = false
		e.out.line("%s hex % x", sign, b)
	}
}

func (e *side) settings(s ...http2.Setting) {
	_ = e.framer.WriteSettings(s...)
	e.flush("SETTINGS")
}

func (e *side) headers(id uint32, end bool, fields ...string) {
	_ = e.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: e.block(fields...), EndStream: end, EndHeaders: true})
}

func (e *side) data(id uint32, end bool, text string) { _ = e.framer.WriteData(id, end, []byte(text)) }

func request(method, path string, more ...string) []string {
	return append([]string{":method", method, ":scheme", "http", ":authority", "a.example", ":path", path}, more...)
}

func (e *side) get(id uint32, path string, more ...string) {
	e.headers(id, true, request("GET", path, more...)...)
}

func (e *side) answer(id uint32, text string) {
	e.headers(id, false, ":status", "200", "content-type", "text/plain")
	e.data(id, true, text)
}

func main() {
	for name, f := range map[string]func(string){
		"streams": streams, "continuation": continuation, "push": push, "resets": resets, "goaway": goAway,
		"midway": midway, "midway-bodies": midwayBodies, "table-size": tableSize, "gap-in-body": gapInBody,
		"gap-in-frames": gapInFrames, "limits": limits, "tunnels": tunnels, "interim": interim, "damaged": damaged,
		"early-response": earlyResponse, "trailers": trailers, "remote-client": remoteClient, "upgrade": upgrade,
	} {
		f(name)
	}
}

func streams(name string) {
	s := newScript("Streams that overlap, with padding, priorities and frames that carry no message.").begin()
	c, v := s.client, s.server
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: c.block(request("POST", "/one", "content-length", "10")...), EndHeaders: true,
		PadLength: 7, Priority: http2.PriorityParam{StreamDep: 0, Weight: 200, Exclusive: true},
	})
	c.get(3, "/two?q=1")
	_ = c.framer.WritePriority(5, http2.PriorityParam{StreamDep: 3, Weight: 1})
	c.flush("POST on 1, GET on 3, PRIORITY")
	_ = v.framer.WriteSettingsAck()
	_ = v.framer.WriteWindowUpdate(0, 65535)
	_ = v.framer.WritePing(false, [8]byte{1})
	_ = v.framer.WriteRawFrame(0xbe, 0, 0, []byte("a type that nobody knows"))
	v.headers(3, false, ":status", "200", "content-type", "text/plain")
	v.flush("answers begin in another order")
	_ = c.framer.WriteDataPadded(1, false, []byte("first"), make([]byte, 20))
	_ = c.framer.WriteDataPadded(1, true, []byte("later"), []byte{})
	c.get(5, "/three")
	c.flush("the body of 1, GET on 5")
	v.data(3, false, "part of two, ")
	v.answer(5, "three")
	v.data(3, false, "")
	v.data(3, true, "the rest of two")
	v.headers(1, true, ":status", "204")
	v.flush("three before two before one")
	s.line("close fin")
	s.write(name)
}

func continuation(name string) {
	s := newScript("A header block in HEADERS and two CONTINUATION frames, cut inside a field.").begin()
	block := s.client.block(request("GET", "/", "x-long", strings.Repeat("long ", 20))...)
	_ = s.client.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:9], EndStream: true})
	_ = s.client.framer.WriteContinuation(1, false, block[9:30])
	_ = s.client.framer.WriteContinuation(1, true, block[30:])
	s.client.flush("")
	s.server.answer(1, "ok")
	s.server.flush("")
	s.write(name)
}

func push(name string) {
	s := newScript("A promised stream. The client refuses a second one.").begin()
	s.client.get(1, "/page")
	s.client.flush("")
	v := s.server
	_ = v.framer.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: v.block(request("GET", "/style.css")...), EndHeaders: true, PadLength: 3})
	block := v.block(request("GET", "/refused.js")...)
	_ = v.framer.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 4, BlockFragment: block[:5]})
	_ = v.framer.WriteContinuation(1, true, block[5:])
	v.answer(1, "<link>")
	v.answer(2, "body {}")
	v.flush("")
	_ = s.client.framer.WriteRSTStream(4, http2.ErrCodeCancel)
	s.client.flush("")
	s.write(name)
}

func resets(name string) {
	s := newScript("Streams that are reset: by the server at once, by the client while it waits, inside a response, inside a request.").begin()
	c, v := s.client, s.server
	for id := uint32(1); id <= 5; id += 2 {
		c.get(id, fmt.Sprint("/", id))
	}
	c.headers(7, false, request("POST", "/7")...)
	c.data(7, false, "half of")
	c.flush("")
	_ = v.framer.WriteRSTStream(1, http2.ErrCodeRefusedStream)
	v.headers(5, false, ":status", "200")
	v.data(5, false, "half of")
	_ = v.framer.WriteRSTStream(5, http2.ErrCodeInternal)
	v.flush("")
	_ = c.framer.WriteRSTStream(3, http2.ErrCodeCancel)
	_ = c.framer.WriteRSTStream(7, http2.ErrCode(0x1234))
	c.flush("")
	v.answer(3, "late: the client is not interested any more")
	v.flush("")
	c.get(9, "/the-ninth")
	c.flush("")
	v.answer(9, "fine")
	v.flush("")
	s.write(name)
}

func earlyResponse(name string) {
	s := newScript("A response that is complete before its request; the server wants no more of it.").begin()
	s.client.headers(1, false, request("POST", "/upload", "content-length", "1000")...)
	s.client.data(1, false, "the beginning")
	s.client.flush("")
	s.server.headers(1, true, ":status", "413")
	_ = s.server.framer.WriteRSTStream(1, http2.ErrCodeNo)
	s.server.flush("")
	s.client.data(1, true, "late")
	s.client.headers(3, false, request("POST", "/slow")...)
	s.client.flush("")
	s.server.headers(3, true, ":status", "401")
	s.server.flush("")
	s.client.data(3, true, "all the same")
	s.client.flush("")
	s.write(name)
}

func goAway(name string) {
	s := newScript("The server goes away: streams above the last one are not answered.").begin()
	for id := uint32(1); id <= 5; id += 2 {
		s.client.get(id, fmt.Sprint("/", id))
	}
	s.client.flush("")
	_ = s.server.framer.WriteGoAway(1, http2.ErrCodeNo, []byte("bye"))
	s.server.answer(1, "the last one")
	s.server.flush("")
	s.line("close fin")
	s.write(name)
}

// known fills both tables with what was sent before the script begins.
func known(s *script) {
	for _, e := range []*side{s.client, s.server} {
		e.block("x-before", "value")
		e.block("x-other", "thing")
	}
	s.client.block(request("GET", "/before", "user-agent", "test/1")...)
	s.server.block(":status", "302", "server", "test", "content-type", "text/plain")
}

func midway(name string) {
	s := newScript("Joined in the middle: fields that the peers know from before are unknown, and the tables fill again.")
	s.line("midway")
	known(s)
	s.client.get(101, "/new", "user-agent", "test/1", "x-before", "value", "x-fresh", "1")
	s.client.flush("x-before and user-agent and :authority are from before")
	s.server.headers(101, false, ":status", "302", "server", "test", "x-new", "2")
	s.server.data(101, true, "moved")
	s.server.flush("the status is from before")
	s.client.get(103, "/new", "x-fresh", "1", "x-before", "another value")
	s.client.flush("x-fresh and /new are known by now; the name of x-before is not")
	s.server.headers(103, false, ":status", "200", "x-new", "2", "content-type", "text/plain")
	s.server.data(103, true, "well again")
	s.server.flush("")
	s.write(name)
}

func midwayBodies(name string) {
	s := newScript("Joined in the middle of bodies, whose calls began before.")
	s.line("midway")
	known(s)
	s.server.data(7, false, "the middle of a response, ")
	s.server.flush("nobody knows yet who is the client")
	s.client.get(9, "/")
	s.client.data(5, true, "the end of a request")
	s.client.flush("")
	s.server.data(7, true, "its end")
	s.server.headers(5, true, ":status", "200")
	s.server.answer(9, "ok")
	s.server.flush("")
	s.write(name)
}

func tableSize(name string) {
	s := newScript("Changes of the size of the header table: none, large, small, and beyond what is followed.").begin()
	c := s.client
	id := uint32(1)
	for _, size := range []uint32{0, 16 << 10, 64, 1 << 20} {
		c.coder.SetMaxDynamicTableSizeLimit(1 << 20)
		c.coder.SetMaxDynamicTableSize(size)
		for range 2 {
			c.get(id, fmt.Sprint("/", size), "x-repeated", "value")
			c.flush(fmt.Sprintf("size %d", size))
			s.server.answer(id, "ok")
			s.server.flush("")
			id += 2
		}
	}
	s.write(name)
}

func gapInBody(name string) {
	s := newScript("A hole inside a DATA frame: the streams go on.").begin()
	s.client.get(1, "/a")
	s.client.get(3, "/b")
	s.client.flush("")
	v := s.server
	v.headers(1, false, ":status", "200", "content-type", "text/plain")
	v.data(1, false, strings.Repeat("x", 100))
	all := bytes.Clone(v.framed.Bytes())
	v.framed.Truncate(len(all) - 70)
	v.flush("")
	s.line("gap < 50")
	v.framed.Reset()
	v.framed.Write(all[len(all)-20:])
	v.data(1, true, "the end")
	v.answer(3, "whole")
	v.flush("")
	s.write(name)
}

func gapInFrames(name string) {
	s := newScript("Holes over frame boundaries: the next frames are found, the tables are unknown, bodies of known length show what they lack.").begin()
	c, v := s.client, s.server
	c.get(1, "/a", "x-token-count", "1")
	c.get(3, "/b")
	c.flush("")
	v.headers(1, false, ":status", "200", "content-length", "12")
	v.headers(3, false, ":status", "200", "x-known", "before the hole")
	v.data(1, false, "whole ")
	v.flush("")
	s.line("gap < 40")
	v.data(3, true, "the end of three")
	v.data(1, true, "again.")
	v.flush("six bytes of 1 came before: it is whole; 3 may not be")
	c.flush("")
	s.line("gap > 33")
	c.get(7, "/c", "x-token-count", "1")
	c.flush("5 was lost; x-token-count is not known any more")
	v.headers(5, true, ":status", "204")
	v.headers(7, false, ":status", "200", "x-known", "before the hole")
	v.data(7, true, "ok")
	v.flush("")
	s.line("wait 12s")
	s.write(name)
}

func limits(name string) {
	s := newScript("Bodies and header lists beyond their limits.")
	s.line("limit body_bytes 10")
	s.line("limit header_bytes 300")
	s.line("limit outstanding 2")
	s.begin()
	c, v := s.client, s.server
	c.headers(1, false, request("POST", "/body")...)
	c.data(1, true, "more than ten bytes")
	c.get(3, "/list", "x-a", strings.Repeat("a", 100), "x-b", strings.Repeat("b", 100), "x-c", strings.Repeat("c", 100))
	c.flush("the list of fields is too long")
	v.answer(1, "also more than ten bytes")
	v.answer(3, "ok")
	v.flush("")
	c.get(5, "/block", "x-d", strings.Repeat("~", 400))
	c.flush("the block is too long: its frame is passed over")
	v.answer(5, "ok")
	v.flush("")
	for id := uint32(7); id <= 11; id += 2 {
		c.headers(id, false, request("POST", fmt.Sprint("/", id))...)
	}
	c.flush("a third stream: the oldest one goes")
	s.line("close rst")
	s.write(name)
}

func tunnels(name string) {
	s := newScript("CONNECT and extended CONNECT (RFC 8441): what follows is not HTTP. A CONNECT that is refused.").begin()
	c, v := s.client, s.server
	c.headers(1, false, ":method", "CONNECT", ":authority", "a.example:443")
	c.headers(3, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/chat", ":authority", "a.example")
	c.headers(5, false, ":method", "CONNECT", ":authority", "b.example:443")
	c.flush("")
	v.headers(1, false, ":status", "200")
	v.headers(3, false, ":status", "200", "sec-websocket-protocol", "chat")
	v.headers(5, true, ":status", "403")
	v.flush("")
	c.data(1, false, "in the tunnel")
	c.data(3, false, "in the other tunnel")
	_ = c.framer.WriteRSTStream(5, http2.ErrCodeCancel)
	c.flush("")
	v.data(1, true, "back")
	v.data(3, true, "back")
	v.flush("")
	c.data(1, true, "")
	c.data(3, true, "")
	c.flush("")
	s.write(name)
}

func interim(name string) {
	s := newScript("Interim responses.").begin()
	s.client.headers(1, false, request("POST", "/", "expect", "100-continue")...)
	s.client.flush("")
	s.server.headers(1, false, ":status", "100")
	s.server.headers(1, false, ":status", "103", "link", "</style.css>")
	s.server.flush("")
	s.client.data(1, true, "body")
	s.client.flush("")
	s.server.answer(1, "ok")
	s.server.flush("")
	s.write(name)
}

func trailers(name string) {
	s := newScript("Trailers of a request and of a response; a length that is wrong; HEAD and 304 with a length.").begin()
	c, v := s.client, s.server
	c.headers(1, false, request("POST", "/", "te", "trailers")...)
	c.data(1, false, "body")
	c.headers(1, true, "x-checksum", "1")
	c.headers(3, true, request("HEAD", "/head")...)
	c.get(5, "/cached")
	c.get(7, "/wrong")
	c.flush("")
	v.headers(1, false, ":status", "200", "content-type", "application/grpc")
	v.data(1, false, "\x00\x00\x00\x00\x00")
	v.headers(1, true, "grpc-status", "0", "grpc-message", "")
	v.headers(3, true, ":status", "200", "content-length", "5")
	v.headers(5, true, ":status", "304", "content-length", "5")
	v.headers(7, false, ":status", "200", "content-length", "5")
	v.data(7, true, "not five")
	v.flush("")
	s.write(name)
}

func damaged(name string) {
	s := newScript("Frames that are against the rules: what comes after them is found.").begin()
	c, v := s.client, s.server
	c.get(1, "/one")
	c.flush("")
	v.answer(1, "ok")
	v.flush("")
	_ = c.framer.WriteRawFrame(http2.FrameData, 0, 0, []byte("DATA on stream 0"))
	c.get(3, "/two")
	_ = c.framer.WritePing(false, [8]byte{})
	c.flush("")
	v.answer(3, "ok")
	v.flush("")
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, BlockFragment: []byte{0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, EndStream: true, EndHeaders: true})
	c.get(7, "/three")
	c.flush("an index that is too large: the table is not known any more")
	v.answer(5, "ok")
	v.answer(7, "ok")
	v.flush("")
	s.write(name)
}

func remoteClient(name string) {
	s := newScript("The remote end is the client; the server's SETTINGS come first.")
	s.line("initiator remote")
	s.client.sign, s.server.sign = "<", ">"
	s.server.settings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
	s.line(`< "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"`)
	s.client.settings()
	s.client.get(1, "/")
	s.client.flush("")
	s.server.answer(1, "ok")
	s.server.flush("")
	s.write(name)
}

func upgrade(name string) {
	s := newScript("Upgrade from HTTP/1: the request is answered on stream 1. It is one call.")
	s.line(`> "GET /first HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"`)
	s.line(`< "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"`)
	s.server.settings()
	s.server.answer(1, "first")
	s.server.flush("")
	s.line(`> "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"`)
	s.client.settings()
	s.client.get(3, "/second")
	s.client.flush("")
	s.server.answer(3, "second")
	s.server.flush("")
	s.line("close fin")
	s.write(name)
}
