// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// origins records whose events came, and why calls have no response.
type origins struct {
	discardSink
	of      []string
	missing []conn.Reason
}

func (o *origins) Event(e *Event) {
	name := ""
	if e.Origin != nil {
		name = e.Origin.Protocol.(string)
	}
	o.of = append(o.of, name)
}

func (o *origins) Exchange(x *Exchange) { o.missing = append(o.missing, x.Missing) }

// A call of which something is told is not given up, however long it takes.
func TestEventsKeepTheirCallWaiting(t *testing.T) {
	for name, keyed := range map[string]bool{"by order": false, "by key": true} {
		t.Run(name, func(t *testing.T) {
			var got origins
			pairer := New(Settings{Age: 10 * second}, &got, &Stats{})
			s := &dissect.Session{Conn: &conn.Conn{}}
			mark := func(t int64) conn.Mark { return conn.Mark{Time: t * second} }
			pairer.Message(s, &dissect.Message{Keyed: keyed, Key: 7, Protocol: "stream"})
			for now := int64(8); now <= 32; now += 8 {
				pairer.Message(s, &dissect.Message{
					Kind: dissect.Event, Direction: dissect.ToClient, Keyed: keyed, Key: 7, First: mark(now), Last: mark(now),
				})
				pairer.Tick((now + 1) * second)
			}
			assert.Equal(t, []string{"stream", "stream", "stream", "stream"}, got.of)
			assert.Empty(t, got.missing)
			pairer.Tick(43 * second)
			assert.Equal(t, []conn.Reason{"timeout"}, got.missing)
			pairer.Message(s, &dissect.Message{Kind: dissect.Event, Direction: dissect.ToClient, Keyed: keyed, Key: 7})
			assert.Empty(t, got.of[4], "the call is over")
		})
	}
}
