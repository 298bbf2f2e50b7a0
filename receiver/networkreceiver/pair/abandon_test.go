// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// A call without response lasts until it is known that none will come.
func TestAbandoned(t *testing.T) {
	const ms = second / 1000
	fin := func(t int64) dissect.End { return dissect.End{Time: t, Why: "fin"} }
	rst := func(t int64) dissect.End { return dissect.End{Time: t, Why: "rst"} }
	idle := func(t int64) dissect.End { return dissect.End{Time: t, Why: "idle"} }
	for name, test := range map[string]struct {
		client, server dissect.End
		close          conn.Reason // at 9 s; empty if only time passes
		want           conn.Reason
		ended          int64
	}{
		"the client gives up":              {fin(2 * second), fin(3 * second), "fin", "fin", 2 * second},
		"the server closes":                {fin(4 * second), fin(3 * second), "fin", "fin", 3 * second},
		"the client waits half-closed":     {fin(5 * ms), fin(3 * second), "fin", "fin", 3 * second},
		"the client half-closes, in vain":  {fin(5 * ms), dissect.End{}, "", "timeout", 10 * second},
		"the client gives up, and no more": {fin(2 * second), dissect.End{}, "", "fin", 2 * second},
		"a reset":                          {rst(2 * second), rst(2 * second), "rst", "rst", 2 * second},
		"a reset after the client's end":   {fin(second), rst(2 * second), "rst", "rst", second},
		"idle":                             {idle(9 * second), idle(9 * second), "idle", "idle", 9 * second},
		"idle after the server's end":      {idle(9 * second), fin(3 * second), "idle", "fin", 3 * second},
		"idle for longer than it waits":    {idle(60 * second), idle(60 * second), "idle", "timeout", 10 * second},
		"time-out":                         {dissect.End{}, dissect.End{}, "", "timeout", 10 * second},
		"the capture ends":                 {dissect.End{}, dissect.End{}, "shutdown", "shutdown", 0},
		"evicted":                          {dissect.End{}, dissect.End{}, "evicted", "evicted", 0},
	} {
		for how, m := range map[string]dissect.Message{
			"by order":     {},
			"by key":       {Keyed: true, Key: 1},
			"of the other": {Keyed: true, Key: 1, Reversed: true},
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				sink := &collector{}
				pairer := New(Settings{Age: 10 * second}, sink, &Stats{})
				s := &dissect.Session{Conn: &conn.Conn{Transport: capture.TCP}}
				pairer.Message(s, &m)
				s.Ends = [2]dissect.End{dissect.ToServer: test.client, dissect.ToClient: test.server}
				if m.Reversed {
					s.Ends[0], s.Ends[1] = s.Ends[1], s.Ends[0]
				}
				if test.close != "" {
					pairer.Close(s, max(9*second, test.client.Time), test.close)
				} else {
					pairer.Tick(30 * second)
				}
				require.Len(t, sink.exchanges, 1)
				assert.Equal(t, test.want, sink.exchanges[0].Missing)
				assert.Equal(t, test.ended, sink.exchanges[0].Ended)
			})
		}
	}
}

// Nobody waits for an answer to a question to a group.
func TestMulticastIsNotAbandoned(t *testing.T) {
	sink := &collector{}
	pairer := New(Settings{Age: 10 * second}, sink, &Stats{})
	s := &dissect.Session{Conn: &conn.Conn{Transport: capture.UDP, Remote: netip.MustParseAddrPort("[ff02::fb]:5353")}}
	pairer.Message(s, &dissect.Message{Keyed: true})
	pairer.Tick(30 * second)
	require.Len(t, sink.exchanges, 1)
	assert.Zero(t, sink.exchanges[0].Ended)
	assert.Empty(t, sink.exchanges[0].Missing)
}
