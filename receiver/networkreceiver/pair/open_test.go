// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// openLog notes which calls are told of because they are open, and which are over.
type openLog struct {
	discardSink
	lines []string
}

func (l *openLog) Open(x *Exchange, now int64) {
	line := fmt.Sprintf("%d open %v", now/second, x.Request.Protocol)
	if x.Response != nil {
		line += fmt.Sprintf(" %v", x.Response.Protocol)
	}
	l.lines = append(l.lines, line)
}

func (l *openLog) Exchange(x *Exchange) { l.lines = append(l.lines, "over "+text(x)) }

// scene is a pairer whose clock is set by hand.
type scene struct {
	*Pairer
	log     openLog
	session *dissect.Session
	now     int64
}

func newScene() *scene {
	s := &scene{session: &dissect.Session{Conn: &conn.Conn{Transport: capture.UDP}, Limits: dissect.Limits{Age: 60 * second}}}
	s.Pairer = New(Settings{OpenAfter: 10 * second}, &s.log, &Stats{})
	return s
}

func (s *scene) message(name string, key uint64) *dissect.Message {
	m := &dissect.Message{Protocol: name, Keyed: key > 0, Key: key}
	if name[0] == 'p' {
		m.Kind, m.Direction = dissect.Response, dissect.ToClient
	}
	m.First.Time, m.Last.Time = s.now, s.now
	return m
}

// sleep lets seconds pass, with ten ticks in each.
func (s *scene) sleep(seconds int64) {
	for until := s.now + seconds*second; s.now < until; {
		s.now += second / 10
		s.Tick(s.now)
	}
}

func TestOpen(t *testing.T) {
	for name, key := range map[string]uint64{"by order": 0, "by key": 7} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.Message(s.session, s.message("q1", key))
			s.sleep(1)
			s.Message(s.session, s.message("p1", key))
			s.Message(s.session, s.message("q2", key))
			s.sleep(9)
			assert.Equal(t, []string{"over q1/p1"}, s.log.lines, "not before its time")
			s.sleep(20)
			assert.Equal(t, []string{"over q1/p1", "11 open q2"}, s.log.lines, "once, and only what is open")
			response := s.message("p2", key)
			s.Started(s.session, response)
			s.Message(s.session, response)
			assert.Equal(t, "over q2/p2", s.log.lines[2])
			assert.Nil(t, s.open.first)
			assert.Equal(t, uint64(1), s.stats.Open.Load())
		})
	}
}

func TestOpenResponse(t *testing.T) {
	for name, key := range map[string]uint64{"by order": 0, "by key": 7} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			s.Message(s.session, s.message("q", key))
			s.sleep(1)
			response := s.message("p", key)
			s.Started(s.session, response)
			s.sleep(10)
			s.Message(s.session, response)
			assert.Equal(t, []string{"10 open q p", "over q/p"}, s.log.lines)
			assert.Nil(t, response.Pairing)
		})
	}
}

// A request that is not whole is open, too.
func TestOpenUpload(t *testing.T) {
	for name, key := range map[string]uint64{"by order": 0, "by key": 7} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			request, response := s.message("q", key), s.message("p", key)
			s.Started(s.session, request)
			s.sleep(5)
			response.Origin = request
			s.Started(s.session, response)
			response.Origin = nil
			s.sleep(6)
			assert.Equal(t, []string{"10 open q p"}, s.log.lines)
			s.Message(s.session, request)
			s.sleep(20)
			s.Message(s.session, response)
			s.Close(s.session, s.now, "fin")
			assert.Equal(t, []string{"10 open q p", "over q/p"}, s.log.lines)
			assert.Nil(t, request.Pairing)
		})
	}
}

// The answer may be whole before the request is.
func TestOpenAfterItsAnswer(t *testing.T) {
	for name, key := range map[string]uint64{"by order": 0, "by key": 7} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			request := s.message("q", key)
			s.Started(s.session, request)
			s.Message(s.session, s.message("p", key))
			s.sleep(12)
			s.Message(s.session, request)
			assert.Equal(t, []string{"10 open q", "over q/p"}, s.log.lines)
		})
	}
}

// What a conversation has begun and cannot finish is forgotten with its session.
func TestOpenForgotten(t *testing.T) {
	s := newScene()
	other := &dissect.Session{Conn: &conn.Conn{Transport: capture.UDP}}
	s.Started(s.session, s.message("q1", 1))
	s.Started(other, s.message("q2", 1))
	s.Started(s.session, s.message("q3", 2))
	s.Close(s.session, s.now, "violation")
	s.sleep(11)
	assert.Equal(t, []string{"10 open q2"}, s.log.lines)
	assert.Nil(t, s.open.first)
}

// A request that goes on in another session, after an upgrade, is a new one there.
func TestOpenInheritance(t *testing.T) {
	s := newScene()
	request := s.message("q", 0)
	s.Started(s.session, request)
	s.Close(s.session, s.now, "upgrade")
	next := &dissect.Session{Conn: s.session.Conn}
	request.Keyed, request.Key = true, 1
	s.Message(next, request)
	s.sleep(11)
	assert.Equal(t, []string{"10 open q"}, s.log.lines)
}

func TestOpenNever(t *testing.T) {
	s := newScene()
	s.settings.OpenAfter = 0
	request := s.message("q", 0)
	s.Started(s.session, request)
	assert.Nil(t, request.Pairing)
	s.Message(s.session, request)
	s.sleep(30)
	assert.Empty(t, s.log.lines)
}

// Nobody has to answer what is asked of a group.
func TestOpenMulticast(t *testing.T) {
	s := newScene()
	s.session.Conn.Remote = netip.MustParseAddrPort("224.0.0.251:5353")
	s.Message(s.session, s.message("q", 0))
	s.sleep(30)
	assert.Empty(t, s.log.lines)
}

// Calls that are not due cost nothing, however many they are.
func TestOpenInOrder(t *testing.T) {
	s := newScene()
	for i := range 20 {
		s.Message(s.session, s.message(fmt.Sprintf("q%d", i), uint64(i+1)))
		s.sleep(1)
	}
	for i := 4; i < 20; i += 2 {
		s.Message(s.session, s.message("p", uint64(i+1)))
	}
	s.log.lines = nil
	s.sleep(4)
	assert.Equal(t, []string{"21 open q11", "23 open q13"}, s.log.lines)
}
