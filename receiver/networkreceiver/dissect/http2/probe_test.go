// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// frames gives what an end frames.
func frames(write func(e *end)) string {
	e := newEnd()
	write(e)
	return e.out.String()
}

func TestProbe(t *testing.T) {
	request := frames(func(e *end) { e.get(7) })
	response := frames(func(e *end) {
		e.headers(7, false, ":status", "200")
		_ = e.WriteData(7, true, make([]byte, 2000))
	})
	settings := frames(func(e *end) { _ = e.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 15}) })
	ping := frames(func(e *end) { _ = e.WritePing(true, [8]byte{}) })
	data := frames(func(e *end) { _ = e.WriteData(5, false, make([]byte, 100)) })
	for name, test := range map[string]struct {
		client, server string
		want           dissect.Verdict
	}{
		"preface":              {preface, "", dissect.Yes},
		"preface of the other": {"", preface + settings, dissect.Reversed},
		"part of a preface":    {preface[:10], "", dissect.NeedMore},
		"a server's SETTINGS":  {"", settings, dissect.NeedMore},
		"request":              {request, "", dissect.Yes},
		"request of the other": {"", request, dissect.Reversed},
		"response":             {"", response, dissect.Yes},
		"ping":                 {ping, ping, dissect.NeedMore},
		"ping, then request":   {ping + request, "", dissect.Yes},
		"DATA":                 {"", data, dissect.NeedMore},
		"cut frame header":     {request[:5], "", dissect.NeedMore},
		"damaged block":        {request[:9] + strings.Repeat("\xff", len(request)-9), "", dissect.No},
		"wrong stream":         {"\x00\x00\x04\x00\x00\x00\x00\x00\x00abcd", "", dissect.No},
		"nothing":              {"", "", dissect.No},
		"HTTP/1":               {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", dissect.No},
		"TLS":                  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", dissect.No},
		"Kafka":                {"\x00\x00\x00\x2a\x00\x12\x00\x03\x00\x00\x00\x01\x00\x07rdkafka", "", dissect.No},
		"PostgreSQL":           {"\x00\x00\x00\x08\x04\xd2\x16\x2f", "", dissect.NeedMore},
		"PostgreSQL, whole":    {"\x00\x00\x00\x29\x00\x03\x00\x00user\x00wirespan\x00", "", dissect.No},
		"DNS over TCP":         {"\x00\x1c\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01", "", dissect.No},
		"zeros":                {strings.Repeat("\x00", 100), "", dissect.No},
	} {
		assert.Equal(t, test.want, Dissector{}.Probe([]byte(test.client), []byte(test.server)), name)
	}
}

// TestProbeOfNoise is about bytes that begin as frames do.
func TestProbeOfNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 64)
	for range 100_000 {
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		b[0], b[1] = 0, 0
		verdict := Dissector{}.Probe(b, nil)
		require.Less(t, verdict, dissect.Yes, "%x", b)
	}
}

// TestFindStart loses a direction at every byte of frames, whose bodies are hostile
// to a search: zeros, small numbers, text about frames.
func TestFindStart(t *testing.T) {
	body := strings.Repeat("\x00\x00\x00\x04\x00\x00\x00\x01", 40) + strings.Repeat("\x00", 200) + strings.Repeat("DATA", 20)
	for at := range 600 {
		p := newPlayer(dissect.Limits{}).start(t)
		c := p.ends[toServer]
		c.headers(1, false, ":method", "POST", ":path", "/1")
		c.headers(3, false, ":method", "POST", ":path", "/3")
		p.flush(t, toServer)
		_ = c.WriteData(1, false, []byte(body))
		_ = c.WriteData(3, false, []byte("a short one"))
		rest := c.out.Bytes()
		p.halves[toServer].left = 0 // as after a hole
		p.lose(toServer, &p.halves[toServer], dissect.ReasonGap)
		start := 0
		if at > 0 {
			start = headerSize + len(body)
		}
		found := p.FindStart(toServer, rest[at:])
		require.Equal(t, start, at+found, "cut at %d", at)
		if at == headerSize+len(body) {
			break
		}
	}
}

// TestJoinedWithinFrame begins with the end of a frame. It is no header of one, whatever length
// it would have.
func TestJoinedWithinFrame(t *testing.T) {
	for _, rest := range []string{"\x49\xf4\xa2\x65\xc7\x87\x31\x03\xff", "\x49\xf4\xa2\x00\x00\x00\x00\x00\x01"} {
		for _, d := range []dissect.Direction{toServer, toClient} {
			p := newPlayer(dissect.Limits{})
			b := append([]byte(rest), frames(func(e *end) { e.headers(1, true, ":status", "200") })...)
			_, _, err := p.Data(d, dissect.MarksOf(conn.Mark{}), b)
			require.ErrorIs(t, err, dissect.ErrViolation)
			require.Equal(t, len(rest), p.FindStart(d, b))
		}
	}
}

// TestFindStartOfLargeFrames loses the beginning of frames that are larger than usual: such
// frames are known to come by SETTINGS, or because one has come.
func TestFindStartOfLargeFrames(t *testing.T) {
	for name, prepare := range map[string]func(*player){
		"settings": func(p *player) {
			_ = p.ends[toClient].WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
			p.flush(t, toClient)
		},
		"seen": func(p *player) {
			_ = p.ends[toServer].WriteData(1, false, make([]byte, 400<<10))
			p.flush(t, toServer)
		},
		"neither": func(*player) {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(dissect.Limits{}).start(t)
			c := p.ends[toServer]
			c.headers(1, false, ":method", "POST", ":path", "/1")
			p.flush(t, toServer)
			prepare(p)
			p.lose(toServer, &p.halves[toServer], dissect.ReasonGap)
			_ = c.WriteData(1, false, bytes.Repeat([]byte{0x20}, 300<<10))
			lost := bytes.Repeat([]byte{0x55}, 100)
			want := len(lost)
			if name == "neither" {
				want = -1
			}
			require.Equal(t, want, p.FindStart(toServer, append(lost, c.out.Bytes()...)))
		})
	}
}

// FuzzProbe sees to it that Probe takes anything and is symmetrical.
func FuzzProbe(f *testing.F) {
	f.Add([]byte(preface), []byte(""))
	f.Add([]byte(frames(func(e *end) { e.get(1) })), []byte(frames(func(e *end) { e.headers(1, true, ":status", "200") })))
	for _, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		f.Add(there, back)
	}
	f.Fuzz(func(t *testing.T, in, out []byte) {
		straight, turned := Dissector{}.Probe(in, out), Dissector{}.Probe(out, in)
		if straight == dissect.No || straight == dissect.NeedMore {
			require.Equal(t, straight, turned)
		}
		follow(in, nil, usualFrame)
	})
}

// FuzzConversation plays arbitrary bytes, with a hole. Nothing may break, and the
// accounts must agree.
func FuzzConversation(f *testing.F) {
	f.Add([]byte(preface+frames(func(e *end) { e.get(1); e.get(3) })), []byte(frames(func(e *end) { _ = e.WriteSettings(); e.headers(1, true, ":status", "200") })), uint16(40), uint16(3))
	for _, c := range seed.Conversations(f) {
		there, back := c.Bytes()
		f.Add(there, back, uint16(40), uint16(10))
	}
	f.Fuzz(func(t *testing.T, in, out []byte, at, n uint16) {
		p := newPlayer(dissect.Limits{HeaderBytes: 4 << 10, BodyBytes: 1 << 10, Outstanding: 4})
		for d, b := range [][]byte{in, out} {
			d := dissect.Direction(d)
			from := min(int(at), len(b))
			used := feed(p, d, b[:from], 0)
			to := min(from+int(n), len(b))
			if to > used && !p.Gap(d, conn.Mark{Offset: uint64(used)}, uint64(to-used)) {
				i := p.FindStart(d, b[to:])
				if i < 0 {
					continue
				}
				to += i
			}
			feed(p, d, b[to:], to)
		}
		for _, m := range p.messages {
			require.LessOrEqual(t, len(m.Content.Body), 1<<10)
			require.GreaterOrEqual(t, m.Last.Offset, m.First.Offset)
			require.LessOrEqual(t, m.GapBytes, m.Size)
		}
		p.finish(t)
	})
}

// feed plays bytes until they are used or damaged, and tells where that is.
func feed(p *player, d dissect.Direction, b []byte, at int) int {
	for len(b) > 0 {
		used, _, err := p.Data(d, dissect.MarksOf(conn.Mark{Time: int64(at), Offset: uint64(at)}), b)
		at, b = at+used, b[used:]
		if err != nil || used == 0 {
			break
		}
	}
	return at
}
