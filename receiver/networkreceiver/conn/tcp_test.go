// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFile(t *testing.T) {
	handshake := []string{"> S 99", "< SA 299 100", "> A 100 300"}
	for _, tt := range []struct {
		name   string
		script []string
		events []string
	}{
		{
			"one call",
			[]string{"> PA 100 300 ask", "< PA 300 103 answer", "> FA 103 306", "< FA 306 104", "> A 104 307"},
			[]string{"open", "> ask", "} answer", "> end fin", "} end fin", "close fin"},
		},
		{
			"out of order",
			[]string{"> PA 103 300 def", "> PA 100 300 abc", "shutdown"},
			[]string{"open", "> abc", "> def", "> end shutdown", "} end shutdown", "close shutdown"},
		},
		{
			"retransmitted",
			[]string{"> PA 100 300 abc", "> PA 100 300 abc", "> PA 100 300 abcdef"},
			[]string{"open", "> abc", "> def"},
		},
		{
			"bytes in order win over those that came before their time",
			[]string{"> PA 102 300 CD", "> PA 100 300 abxxef"},
			[]string{"open", "> abxxef"},
		},
		{
			"bytes in order win as far as they go",
			[]string{"> PA 102 300 CDEF", "> PA 100 300 abcd"},
			[]string{"open", "> abcd", "> EF"},
		},
		{
			"what was cut off is taken from what came before its time",
			[]string{"> PA 102 300 cdef", "> PA 100 300 abc+3"},
			[]string{"open", "> abc", "> def"},
		},
		{
			"lost and acknowledged by data",
			[]string{"> PA 103 300 def", "< PA 300 106 answer", "> A 106 306"},
			[]string{"open", "> gap 3", "> def", "} answer"},
		},
		{
			"all lost and acknowledged by data",
			[]string{"> PA 100 300 one", "> PA 103 320 two", "< PA 320 106 x"},
			[]string{"open", "> one", "} gap 20", "> two", "} x"},
		},
		{
			"bare acknowledgement shortly before the bytes",
			[]string{"> A 100 306", "< PA 300 100 answer", "tick 1s"},
			[]string{"open", "} answer"},
		},
		{
			"the next request shortly before the response",
			[]string{"> PA 100 300 one", "> PA 103 306 two", "> PA 106 306 more", "< PA 300 103 answer", "< PA 306 109 end"},
			[]string{"open", "> one", "} answer", "> two", "> more", "} end"},
		},
		{
			"the next request, and never the response",
			[]string{"> PA 100 300 one", "> PA 103 306 two", "tick 40ms", "tick 40ms"},
			[]string{"open", "> one", "} gap 6", "> two"},
		},
		{
			"the next request and its reset, and never the response",
			[]string{"> PA 100 300 one", "> PA 103 306 two", "> R 106", "tick 31s"},
			[]string{"open", "> one", "} gap 6", "> two", "> end rst", "} end rst", "close rst"},
		},
		{
			"the last request and FIN shortly before response and FIN",
			[]string{"> PA 100 300 one", "> FPA 103 307 two", "< FPA 300 103 answer"},
			[]string{"open", "> one", "} answer", "} end fin", "> two", "> end fin", "close fin"},
		},
		{
			"the next request at the end of the file",
			[]string{"> PA 100 300 one", "> PA 103 306 two", "shutdown"},
			[]string{"open", "> one", "} gap 6", "> two", "> end shutdown", "} end shutdown", "close shutdown"},
		},
		{
			"lost and acknowledged bare",
			[]string{"> A 100 306", "tick 40ms", "tick 40ms", "< PA 306 100 more"},
			[]string{"open", "} gap 6", "} more"},
		},
		{
			"lost and not acknowledged",
			[]string{"> PA 105 300 la", "> PA 107 300 te", "> PA 109 300 r", "tick 4s", "tick 2s"},
			[]string{"open", "> gap 5", "> la", "> te", "> r"},
		},
		{
			"given up soon when the capture loses records",
			[]string{"> PA 105 300 late", "lost", "tick 300ms"},
			[]string{"open", "> gap 5", "> late"},
		},
		{
			"cut off",
			[]string{"> PA 100 300 head+40", "> PA 144 300 next"},
			[]string{"open", "> head", "> gap 40", "> next"},
		},
		{
			"cut off and held",
			[]string{"> PA 144 300 next+2", "> PA 100 300 head+40"},
			[]string{"open", "> head", "> gap 40", "> next", "> gap 2"},
		},
		{
			"not copied at all",
			[]string{"> PA 100 300 +1000", "> PA 1100 300 next"},
			[]string{"open", "> gap 1000", "> next"},
		},
		{
			"probes",
			[]string{"> PA 100 300 abc", "> A 102 300", "> A 102 300 x", "< A 299 103", "> PA 103 300 def"},
			[]string{"open", "> abc", "> def"},
		},
		{
			"half-close",
			[]string{"> FPA 100 300 ask", "< PA 300 104 one", "< PA 303 104 two", "< FA 306 104"},
			[]string{"open", "> ask", "> end fin", "} one", "} two", "} end fin", "close fin"},
		},
		{
			"simultaneous close",
			[]string{"> FA 100 300", "< FA 300 100", "> A 101 301", "< A 301 101"},
			[]string{"open", "> end fin", "} end fin", "close fin"},
		},
		{
			"FIN before the last bytes",
			[]string{"> FA 103 300", "> PA 100 300 abc"},
			[]string{"open", "> abc", "> end fin"},
		},
		{
			"bytes before the FIN lost",
			[]string{"> FA 103 300", "< PA 300 104 answer", "tick 1s"},
			[]string{"open", "> gap 3", "> end fin", "} answer"},
		},
		{
			"FIN lost",
			[]string{"> PA 100 300 ask", "< FPA 300 104 answer"},
			[]string{"open", "> ask", "} answer", "} end fin", "> end fin", "close fin"},
		},
		{
			"bytes after the FIN",
			[]string{"> FPA 100 300 ask", "> PA 104 300 more", "> PA 100 300 askmore"},
			[]string{"open", "> ask", "> end fin"},
		},
		{
			"bytes that go on past a FIN before its time",
			[]string{"> FA 103 300", "> PA 101 300 bcmore", "> PA 100 300 a", "> FA 107 300"},
			[]string{"open", "> a", "> bcmore", "> end fin"},
		},
		{
			"a FIN before its time that is never reached",
			[]string{"> FA 1100 300", "tick 6s", "tick 6s", "> PA 100 300 ask", "< PA 300 103 answer"},
			[]string{"open", "> ask", "} answer"},
		},
		{
			"a FIN before its time, and the bytes before it lost",
			[]string{"> FA 103 300", "< A 300 104", "tick 1s"},
			[]string{"open", "> gap 3", "> end fin"},
		},
		{
			"bytes before their time that are never reached",
			[]string{"> PA 1100 300 evil", "tick 6s", "tick 6s", "> PA 100 300 ask", "< PA 300 103 answer", "> FA 103 306"},
			[]string{"open", "> ask", "} answer", "> end fin"},
		},
		{
			"bytes far out of the window",
			[]string{"> PA 900000000 300 evil", "> PA 100 300 ask", "< PA 300 103 answer"},
			[]string{"open", "> ask", "} answer"},
		},
		{
			"reset",
			[]string{"> PA 100 300 ask", "< RA 300 103", "< PA 300 103 late", "> PA 103 300 late", "tick 31s"},
			[]string{"open", "> ask", "> end rst", "} end rst", "close rst"},
		},
		{
			"reset beyond a hole",
			[]string{"> PA 104 300 ef", "> RA 110 300", "tick 31s"},
			[]string{"open", "> gap 4", "> ef", "> gap 4", "> end rst", "} end rst", "close rst"},
		},
		{
			"forged reset",
			[]string{"< R 900000000 0", "> PA 100 300 ask"},
			[]string{"open", "> ask"},
		},
		{
			"late segments open nothing",
			[]string{"> FA 100 300", "< FA 300 101", "< PA 290 101 0123456789", "> FA 100 300", "> S 99", "< SA 299 100"},
			[]string{"open", "> end fin", "} end fin", "close fin"},
		},
		{
			"the port is used again after the end",
			[]string{"> FA 100 300", "< FA 300 101", "> S 5000", "> PA 5001 0 new"},
			[]string{"open", "> end fin", "} end fin", "close fin", "open", "> new"},
		},
		{
			"the port is used again without an end",
			[]string{"> S 5000", "< SA 7000 5001", "> PA 5001 7001 new"},
			[]string{"open", "> end reused", "} end reused", "close reused", "open", "> new"},
		},
		{
			"the port is used again without an end and a handshake",
			[]string{
				"> PA 2000000000 0 one", "> PA 2000000003 0 two", "> PA 2000000006 0 three",
				"< PA 0 2000000011 answer",
			},
			[]string{"open", "> end reused", "} end reused", "close reused", "open", "> three", "} answer"},
		},
		{
			"idle",
			[]string{"> PA 100 300 ask", "tick 16m"},
			[]string{"open", "> ask", "> end idle", "} end idle", "close idle"},
		},
		{
			"an urgent byte",
			[]string{"> P!A 100 300 /malicX!ious", "> PA 111 300 next"},
			[]string{"open", "> /malic", "> ious", "> next"},
		},
		{
			"urgent bytes first, last and alone",
			[]string{"> P!A 100 300 X!a", "> P!A 102 300 bY!", "> P!A 104 300 Z!", "> PA 105 300 c"},
			[]string{"open", "> a", "> b", "> c"},
		},
		{
			"an urgent byte before its time, and again",
			[]string{"> P!A 103 300 X!def", "> PA 100 300 abc", "> P!A 103 300 X!def"},
			[]string{"open", "> abc", "> def"},
		},
		{
			"an urgent byte of a later segment",
			[]string{"> P!A 100 300 a12345!", "> PA 106 300 b"},
			[]string{"open", "> a1234", "> b"},
		},
		{
			"held when it ends",
			[]string{"> PA 105 300 x", "shutdown"},
			[]string{"open", "> gap 5", "> x", "> end shutdown", "} end shutdown", "close shutdown"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(handshake...).run(tt.script...)
			s.want(tt.events...)
			c := s.sink.opened[0]
			assert.Equal(t, InitiatorLocal, c.Initiator)
			assert.False(t, c.Midway)
			assert.Equal(t, clientAddr, c.Local)
			assert.Equal(t, serverAddr, c.Remote)
			assert.Equal(t, int64(2e6), c.Established-c.Started)
			s.run("shutdown")
		})
	}
}

func TestFileWithoutWholeHandshake(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []string
		events []string
		midway bool
		local  string
	}{
		{
			"SYN data",
			[]string{"> S 99 0 early", "< SA 299 105", "> PA 105 300 more", "< PA 300 109 answer"},
			[]string{"open", "> early", "> more", "} answer"},
			false, "10.0.0.1:40000",
		},
		{
			"SYN data that was not taken",
			[]string{"> S 99 0 early", "< SA 299 100", "> PA 100 300 early"},
			[]string{"open", "> early"},
			false, "10.0.0.1:40000",
		},
		{
			"simultaneous open",
			[]string{"> S 99", "< S 299", "> SA 99 300", "< SA 299 100", "> PA 100 300 a", "< PA 300 101 b"},
			[]string{"open", "> a", "} b"},
			false, "10.0.0.1:40000",
		},
		{
			"SYN not seen",
			[]string{"< SA 299 100", "> PA 100 300 ask", "< PA 300 103 answer"},
			[]string{"open", "> ask", "} answer"},
			false, "10.0.0.1:40000",
		},
		{
			"refused",
			[]string{"> S 99", "< RA 0 100"},
			[]string{"open", "> end rst", "} end rst", "close rst"},
			false, "10.0.0.1:40000",
		},
		{
			"refused with a wrong number",
			[]string{"> S 99", "< RA 0 900000000"},
			[]string{"open"},
			false, "10.0.0.1:40000",
		},
		{
			"the first acknowledgement was of another time",
			[]string{"> PA 100 3000000000 ask", "< PA 300 103 answer"},
			[]string{"open", "> ask", "} answer"},
			true, "10.0.0.1:40000",
		},
		{
			"SYN again",
			[]string{"> S 99", "> S 99", "< SA 299 100", "< SA 299 100", "> PA 100 300 a"},
			[]string{"open", "> a"},
			false, "10.0.0.1:40000",
		},
		{
			"SYN-ACK of another time",
			[]string{"> S 99", "< SA 777 888", "< SA 299 100", "< PA 300 100 a"},
			[]string{"open", "} a"},
			false, "10.0.0.1:40000",
		},
		{
			"midway, by the answer",
			[]string{"< PA 300 100 answer", "> PA 100 306 ask"},
			[]string{"open", "> answer", "} ask"},
			true, "10.0.0.2:80",
		},
		{
			"midway out of order",
			[]string{"> PA 104 300 ef", "> PA 100 300 abcd", "> PA 106 300 gh", "< PA 300 108 ok"},
			[]string{"open", "> abcd", "> ef", "> gh", "} ok"},
			true, "10.0.0.1:40000",
		},
		{
			"midway, settled by time",
			[]string{"> PA 104 300 ef", "tick 60ms", "> PA 100 300 abcd", "> PA 106 300 gh"},
			[]string{"open", "> ef", "> gh"},
			true, "10.0.0.1:40000",
		},
		{
			"midway, first answer lost",
			[]string{"> PA 100 300 ask", "< PA 310 103 swer", "> PA 103 314 ask", "tick 1s"},
			[]string{"open", "> ask", "} gap 10", "} swer", "> ask"},
			true, "10.0.0.1:40000",
		},
		{
			"midway with a hole and an end",
			[]string{"> PA 100 300 a", "> PA 105 300 b", "shutdown"},
			[]string{"open", "> a", "> gap 4", "> b", "> end shutdown", "} end shutdown", "close shutdown"},
			true, "10.0.0.1:40000",
		},
		{
			"nothing worth opening comes first",
			[]string{"> A 100 300", "> A 99 300 x", "> FA 100 300", "< RA 300 100", "> PA 100 300 x", "tick 1s"},
			[]string{"open", "> x"},
			true, "10.0.0.1:40000",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(tt.script...)
			s.want(tt.events...)
			assert.Equal(t, tt.midway, s.sink.opened[0].Midway)
			assert.Equal(t, tt.local, s.sink.opened[0].Local.String())
			s.run("shutdown")
		})
	}
}

func TestSequenceWrapsAround(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("> S 4294967290", "< SA 4294967295 4294967291", "> A 4294967291 0",
		"> PA 1 0 ghij", "> PA 4294967291 0 abcdef", "< PA 0 5 answer", "> FA 5 6", "< FA 6 6")
	s.want("open", "> abcdef", "> ghij", "} answer", "> end fin", "} end fin", "close fin")
}

func TestMarks(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("> S 99", "< SA 299 100", "> PA 100 300 abc", "> PA 110 301 xyz", "< PA 300 113 answer", "tick 1s")
	r := s.sink.conns[s.sink.opened[0]]
	ms := int64(1e6)
	assert.Equal(t, []Mark{
		{Time: someTime + 3*ms, Offset: 0, Seq: 100, Ack: 300},
		{Time: someTime + 4*ms, Offset: 3, Seq: 103, Ack: 301}, // the gap
		{Time: someTime + 4*ms, Offset: 10, Seq: 110, Ack: 301},
	}, r.marks[Out])
	assert.Equal(t, []Mark{{Time: someTime + 5*ms, Offset: 0, Seq: 300, Ack: 113}}, r.marks[In])
}

func TestHalfOpenConnectionsExpireFirst(t *testing.T) {
	s := newScript(t, Settings{}).run("> S 99", "tick 61s")
	s.want("open", "> end idle", "} end idle", "close idle")
}

func TestPostponedSegmentsAreBounded(t *testing.T) {
	s := newScript(t, Settings{}).run("> S 99", "< SA 299 100", "> A 100 300")
	for i := range maxPostponed {
		s.run(fmt.Sprintf("> PA %d 310 x", 100+i))
	}
	s.want("open")
	s.run(fmt.Sprintf("> PA %d 310 y", 100+maxPostponed))
	assert.Equal(t, []string{"open", "} gap 10", "> x"}, s.sink.events[:3])
	assert.Equal(t, "> y", s.sink.events[len(s.sink.events)-1])
	s.run("shutdown")
}

func TestStats(t *testing.T) {
	for _, tt := range []struct {
		name    string
		script  []string
		counter func(*Stats) *atomic.Uint64
		want    uint64
	}{
		{"retransmitted", []string{"> PA 100 300 abc", "> PA 100 300 abc"}, func(s *Stats) *atomic.Uint64 { return &s.Retransmitted }, 1},
		{"retransmitted after the end", []string{"> FPA 100 300 abc", "> FPA 100 300 abc"}, func(s *Stats) *atomic.Uint64 { return &s.Retransmitted }, 1},
		{"overlapped", []string{"> PA 100 300 abc", "> PA 101 300 bcd"}, func(s *Stats) *atomic.Uint64 { return &s.Overlapped }, 1},
		{"contradicted", []string{"> PA 102 300 cd", "> PA 100 300 abCD"}, func(s *Stats) *atomic.Uint64 { return &s.Contradicted }, 1},
		{"out of order", []string{"> PA 102 300 cd", "> PA 100 300 ab"}, func(s *Stats) *atomic.Uint64 { return &s.OutOfOrder }, 1},
		{"after FIN", []string{"> FPA 100 300 abc", "> PA 104 300 d"}, func(s *Stats) *atomic.Uint64 { return &s.AfterFIN }, 1},
		{"probes", []string{"> A 99 300", "> A 99 300 x"}, func(s *Stats) *atomic.Uint64 { return &s.Probes }, 2},
		{"urgent", []string{"> P!A 100 300 aX!", "> P!A 100 300 aX!"}, func(s *Stats) *atomic.Uint64 { return &s.Urgent }, 1},
		{"out of window", []string{"> PA 1000000000 300 x"}, func(s *Stats) *atomic.Uint64 { return &s.OutOfWindow }, 1},
		{"reset ignored", []string{"> R 1000000000"}, func(s *Stats) *atomic.Uint64 { return &s.RSTIgnored }, 1},
		{"late", []string{"> R 100", "> PA 100 300 x", "tick 31s"}, func(s *Stats) *atomic.Uint64 { return &s.Late }, 1},
		{"closed by reset", []string{"> R 100", "tick 31s"}, func(s *Stats) *atomic.Uint64 { return &s.ClosedRST }, 1},
		{"unmatched", []string{"s< A 1 2"}, func(s *Stats) *atomic.Uint64 { return &s.Unmatched }, 1},
		{"records", []string{"lost", "lost"}, func(s *Stats) *atomic.Uint64 { return &s.Records }, 2},
		{"hole acknowledged", []string{"> PA 105 300 x", "< A 300 106", "tick 1s"}, func(s *Stats) *atomic.Uint64 { return &s.HolesAcked }, 1},
		{"hole expired", []string{"> PA 105 300 x", "> PA 106 300 y", "> PA 107 300 z", "tick 6s"}, func(s *Stats) *atomic.Uint64 { return &s.HolesExpired }, 1},
		{"hole closed", []string{"> PA 105 300 x", "shutdown"}, func(s *Stats) *atomic.Uint64 { return &s.HolesClosed }, 1},
		{"gap bytes", []string{"> PA 105 300 x", "shutdown"}, func(s *Stats) *atomic.Uint64 { return &s.GapBytes }, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run("> S 99", "< SA 299 100", "> A 100 300").run(tt.script...)
			assert.Equal(t, tt.want, tt.counter(s.stats).Load())
		})
	}
}
