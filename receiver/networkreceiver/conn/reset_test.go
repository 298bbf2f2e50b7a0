// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A reset ends a connection of a capture file unless what follows shows that its
// receiver has refused it (RFC 5961, section 3.2).
func TestResetInFile(t *testing.T) {
	call := []string{"> S 99", "< SA 299 100", "> A 100 300", "> PA 100 300 one", "< PA 300 103 uno", "> A 103 303"}
	reset := []string{"> end rst", "} end rst", "close rst"}
	for _, tt := range []struct {
		name    string
		script  []string
		events  []string
		ignored uint64
	}{
		{"exact", []string{"> R 103"}, reset, 0},
		{"exact, of the server", []string{"< R 303"}, reset, 0},
		{"exact, twice", []string{"> R 103", "> R 103", "< R 303"}, reset, 0},
		{"ahead, after lost bytes", []string{"> R 110"}, append([]string{"> gap 7"}, reset...), 0},
		{"old, and nothing after it", []string{"> R 90"}, reset, 0},
		{"too far off", []string{"> R 90000000", "shutdown"}, []string{"> end shutdown", "} end shutdown", "close shutdown"}, 1},
		{
			"ahead, and a challenge",
			[]string{"> R 1103", "< A 303 103", "shutdown"},
			[]string{"> end shutdown", "} end shutdown", "close shutdown"},
			1,
		},
		{
			"ahead, and the next call",
			[]string{"> R 1103", "> PA 103 303 two", "< PA 303 106 dos"},
			[]string{"> two", "} dos"},
			1,
		},
		{
			"old, and the next call",
			[]string{"> R 100", "> PA 103 303 two", "< PA 303 106 dos"},
			[]string{"> two", "} dos"},
			1,
		},
		{
			"exact, and the next call",
			[]string{"> R 103", "> PA 103 303 two", "< PA 303 106 dos"},
			[]string{"> two", "} dos"},
			1,
		},
		{
			"exact, of the server, and the next call",
			[]string{"< R 303", "> PA 103 303 two", "< PA 303 106 dos"},
			[]string{"> two", "} dos"},
			1,
		},
		{
			"between a request and its response",
			[]string{"> PA 103 303 two", "< R 303", "< PA 303 106 dos", "> A 106 306"},
			[]string{"> two", "} dos"},
			1,
		},
		{
			"exact, and an end that was acknowledged",
			[]string{"> R 103", "> FA 103 303", "< FA 303 104", "> A 104 304"},
			[]string{"> end fin", "} end fin", "close fin"},
			1,
		},
		{
			"what was on its way",
			[]string{"> R 103", "< PA 303 103 dos", "< PA 306 103 dos"},
			reset,
			0,
		},
		{
			"what was on its way behind a reset in the middle",
			[]string{"> R 103", "> PA 103 303 two", "> PA 106 303 two", "< R 303"},
			reset,
			0,
		},
		{
			"a new connection",
			[]string{"> R 103", "> S 5000", "< SA 7000 5001", "> PA 5001 7001 new", "shutdown"},
			append(reset[:3:3], "open", "> new", "> end shutdown", "} end shutdown", "close shutdown"), 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(call...).run(tt.script...).run("tick 31s")
			s.want(append([]string{"open", "> one", "} uno"}, tt.events...)...)
			assert.Equal(t, tt.ignored, s.stats.RSTIgnored.Load())
			s.run("shutdown")
		})
	}
}

// What is held back behind a reset is bounded, and is counted where it is not told.
func TestSegmentsBehindAResetAreBounded(t *testing.T) {
	s := newScript(t, Settings{}).run("> S 99", "< SA 299 100", "> PA 100 300 one", "> R 103")
	for range 2 * maxPostponed {
		s.run("< PA 300 103 late")
	}
	assert.Len(t, s.table.flows[flowBetween(s.client, s.server, 0)].table.reset.held, maxPostponed)
	s.run("shutdown")
	s.want("open", "> one", "> end rst", "} end rst", "close rst")
	assert.Equal(t, uint64(2*maxPostponed), s.stats.Late.Load())
}

// Live, the kernel knows which resets it has believed.
func TestResetLive(t *testing.T) {
	call := []string{"c> S 99", "c< SA 299 100", "c> PA 100 300 one", "c< PA 300 103 uno"}
	next := []string{"c> PA 103 303 two", "c< PA 303 106 dos"}
	told := []string{"c> two", "c} dos"}
	reset := []string{"c> end rst", "c} end rst", "cclose rst"}
	for _, tt := range []struct {
		name   string
		script []string
		events []string
	}{
		{"believed", []string{"c< R 303", "reset c"}, reset},
		{"refused", append([]string{"c< R 1303"}, next...), told},
		{"refused, and a silence", append([]string{"c< R 1303", "tick 10m"}, next...), told},
		{"refused, and another believed", append(append([]string{"c< R 1303"}, next...), "c< R 306", "reset c"), append(told[:2:2], reset...)},
		{"believed, though the capture knows of no such packet", []string{"reset c"}, reset},
		{"believed beyond what the capture has lost", []string{"c< R 310", "reset c"}, append([]string{"c} gap 7"}, reset...)},
		{"exact, and the record lost", []string{"c< R 303", "tick 31s"}, reset},
		{"of the socket itself", []string{"c> R 103"}, reset},
		{"refused, and the end", []string{"c< R 1303", "c> FA 103 303", "c< FA 303 104"}, []string{"c> end fin", "c} end fin", "cclose fin"}},
		{"answers a forged handshake", append([]string{"- R 50000"}, next...), told},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(call...)
			for _, line := range tt.script {
				if line == "- R 50000" { // a socket of the kernel's own
					seg := s.segment([]string{"c>", "R", "50000"})
					seg.Socket = 0
					s.table.Segment(&seg)
					continue
				}
				s.run(line)
			}
			s.want(append([]string{"copen", "c> one", "c} uno"}, tt.events...)...)
			s.run("shutdown")
		})
	}
}

// A handshake outlives a reset that the listener's kernel refuses.
func TestResetOfHandshake(t *testing.T) {
	s := newScript(t, Settings{}).run("l< S 99", "l> SA 299 100", "l< R 5000", "l< A 100 300", "s< PA 100 300 ask")
	s.want("sopen", "s} ask")
	assert.False(t, s.sink.opened[0].Midway)
	s.run("shutdown")
}

// A SYN on an established connection opens another one only if that is answered
// (RFC 5961, section 4.2).
func TestSYNOnConnection(t *testing.T) {
	call := []string{"> S 99", "< SA 299 100", "> A 100 300", "> PA 100 300 one", "< PA 300 103 uno", "> A 103 303"}
	reused := []string{"> end reused", "} end reused", "close reused", "open"}
	next := []string{"> PA 103 303 two", "< PA 303 106 dos"}
	told := []string{"> two", "} dos"}
	for _, tt := range []struct {
		name   string
		script []string
		events []string
		far    uint64
	}{
		{"forged", append([]string{"> S 5000", "< A 303 103"}, next...), told, 1},
		{"forged in the window", append([]string{"> S 110", "< A 303 103"}, next...), told, 1},
		{"forged with the number before the next", append([]string{"> S 102", "< A 303 103"}, next...), told, 1},
		{"forged by the server", append([]string{"< S 7000", "> A 103 303"}, next...), told, 1},
		{"forged answer", append([]string{"< SA 7000 5001"}, next...), told, 1},
		{"forged twice", append([]string{"> S 5000", "> S 6000"}, next...), told, 2},
		{"answered", []string{"> S 5000", "< SA 7000 5001", "> PA 5001 7001 new"}, append(reused[:4:4], "> new"), 0},
		{"answer lost", []string{"> S 5000", "> PA 5001 7001 new", "< PA 7001 5004 nuevo"}, append(reused[:4:4], "> new", "} nuevo"), 0},
		{"the SYN lost", []string{"< SA 7000 5001", "> PA 5001 7001 new"}, append(reused[:4:4], "> new"), 0},
		{"refused", []string{"> S 5000", "< RA 0 5001"}, append(reused[:4:4], "> end rst", "} end rst", "close rst"), 0},
		{"the other way round", []string{"< S 5000", "> SA 7000 5001", "< PA 5001 7001 new"}, append(reused[:4:4], "> new"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript(t, Settings{}).run(call...).run(tt.script...)
			s.want(append([]string{"open", "> one", "} uno"}, tt.events...)...)
			s.run("shutdown")
			assert.Equal(t, tt.far, s.stats.OutOfWindow.Load())
		})
	}
}
