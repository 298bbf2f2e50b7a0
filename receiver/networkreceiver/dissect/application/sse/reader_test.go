// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package sse

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// sink records what a reader tells, within so much memory.
type sink struct {
	dissect.Sink
	room   int
	events []*dissect.Message
	limits []string
}

func (s *sink) Message(m *dissect.Message) { s.events = append(s.events, m) }
func (*sink) Started(*dissect.Message)     {}
func (s *sink) Limit(name string)          { s.limits = append(s.limits, name) }
func (s *sink) Release(n int)              { s.room += n }
func (s *sink) Keep(n int) bool {
	if n > s.room {
		return false
	}
	s.room -= n
	return true
}

func open(s *sink, mediaType string, d dissect.Direction) httpmessage.Reader {
	m := &dissect.Message{Direction: d, Content: dissect.Content{MediaType: mediaType}}
	return Protocol{}.Open(&httpmessage.Head{Message: m, Limits: dissect.Limits{BodyBytes: 1 << 20}}, s)
}

func TestOpen(t *testing.T) {
	s := &sink{room: 1 << 20}
	assert.Nil(t, open(s, "text/plain", dissect.ToClient))
	assert.Nil(t, open(s, MediaType, dissect.ToServer))
	r := open(s, MediaType, dissect.ToClient)
	require.NotNil(t, r)
	r.End("")
	assert.Equal(t, 1<<20, s.room, "all is given back")
	assert.Nil(t, open(&sink{room: readerSize - 1}, MediaType, dissect.ToClient), "no memory")
}

// An event is cut when the memory is used up, and only counted when there is none left
// to tell it.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name      string
		room      int
		truncated []string
		limits    []string
	}{
		{"enough", 1 << 10, []string{""}, nil},
		{"for the event only", eventSize + 100, []string{"memory"}, nil},
		{"none", 0, nil, []string{"sse_event_memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sink{room: readerSize + c.room}
			r := open(s, MediaType, dissect.ToClient)
			r.Read([]byte("data: 0123456789\n\n"), dissect.MarksOf(conn.Mark{}), 0)
			assert.EqualValues(t, 1, r.End(""), "it is counted")
			var truncated []string
			for _, m := range s.events {
				truncated = append(truncated, m.Content.Truncated)
				assert.EqualValues(t, 10, m.Content.BodySize)
				s.Release(m.Reserved)
			}
			assert.Equal(t, c.truncated, truncated)
			assert.Equal(t, c.limits, s.limits)
			assert.Equal(t, readerSize+c.room, s.room, "all is given back")
		})
	}
}

// After so many events the rest is counted.
func TestManyEvents(t *testing.T) {
	s := &sink{room: 1 << 20}
	r := open(s, MediaType, dissect.ToClient).(*reader)
	r.events = maxEvents - 1
	r.Read([]byte("data: last\n\ndata: more\n\ndata: and more\n\n"), dissect.MarksOf(conn.Mark{}), 0)
	assert.Len(t, s.events, 1)
	assert.Equal(t, []string{"sse_events"}, s.limits)
	assert.EqualValues(t, maxEvents+2, r.End(""))
}

// Data finds in a kept body what the reader tells.
func TestData(t *testing.T) {
	body := []byte("data: a\rdata:b\r\n\r\n: only a comment\n\nevent: x\ndata\n\ndata: {\"n\":1}\nid: 7\n\r\ndata: end")
	want := []string{"a\nb", "", `{"n":1}`, "end"}
	var got []string
	for data := range Data(body) {
		got = append(got, string(data))
	}
	assert.Equal(t, want, got)
	s := &sink{room: 1 << 20}
	r := open(s, MediaType, dissect.ToClient)
	r.Read(slices.Clone(body), dissect.MarksOf(conn.Mark{}), 0)
	r.End("")
	var told []string
	for _, m := range s.events {
		told = append(told, string(m.Content.Body))
	}
	assert.Equal(t, want, told)
}
