// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
)

// marked is a dissector whose messages are "^" and a dot at the end. Others are stray
// bytes, or where they begin with "!" a violation.
func marked() *fake {
	return &fake{
		data: func(_ *talk, _ dissect.Direction, _ dissect.Marks, b []byte) (int, int, error) {
			switch end := bytes.IndexByte(b, '.') + 1; {
			case b[0] == '!':
				return 0, 0, dissect.ErrViolation
			case b[0] != '^':
				return 0, 0, dissect.ErrStray
			default:
				return end, 0, nil
			}
		},
		find: func(b []byte) int { return bytes.IndexByte(b, '^') },
	}
}

func TestStrayBytes(t *testing.T) {
	for name, test := range map[string]struct {
		play func(r *rig)
		want []string
	}{
		"in one segment": {
			func(r *rig) { r.data(conn.Out, "^a.stray^b.") },
			[]string{"fake resync > violation", "fake skipped > to 8"},
		},
		"in several, with the start in the last": {
			func(r *rig) { r.data(conn.Out, "^a.st").data(conn.Out, "ra").data(conn.Out, "y^b.") },
			[]string{"fake resync > violation", "fake skipped > to 5", "fake skipped > to 7", "fake skipped > to 8"},
		},
		"with a gap": {
			func(r *rig) { r.data(conn.Out, "^a.stray").gap(conn.Out, 3).data(conn.Out, "^b.") },
			[]string{"fake resync > violation", "fake skipped > to 8", "fake resync > gap"},
		},
		"in a message": {
			func(r *rig) { r.data(conn.Out, "^a.!wrong^b.") },
			[]string{"fake resync > violation"},
		},
		"a gap": {
			func(r *rig) { r.data(conn.Out, "^a.").gap(conn.Out, 3).data(conn.Out, "stray^b.") },
			[]string{"fake resync > gap"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, engine.Settings{}, marked()).open()
			test.play(r)
			r.close()
			assert.Equal(t, append(test.want, "fake close fin"), r.log.lines)
		})
	}
}

// Beyond searchBytes not all is looked at: nothing can be said about the rest.
func TestStrayBytesAreNotToldUnlookedAt(t *testing.T) {
	r := newRig(t, engine.Settings{}, marked()).open().data(conn.Out, "^a.")
	for range 200 {
		r.data(conn.Out, strings.Repeat("x", 64<<10))
	}
	r.data(conn.Out, "^b.").close()
	assert.Less(t, len(r.log.lines), 30)
	assert.Equal(t, "fake close fin", r.log.lines[len(r.log.lines)-1])
	assert.NotContains(t, r.log.lines, "fake skipped > to 13107203")
}

// A message that is not whole because there was no memory has not been lost by the capture.
func TestReasonOfMemory(t *testing.T) {
	var r *rig
	var got *dissect.Message
	f := &fake{data: func(*talk, dissect.Direction, dissect.Marks, []byte) (int, int, error) {
		r.memory.Take(int(r.memory.Limit() - r.memory.Used()))
		return 0, 0, nil
	}}
	f.gap = func(c *talk, _ dissect.Direction, _ uint64) bool {
		got = &dissect.Message{Kind: dissect.OneWay, Incomplete: "gap"}
		c.sink.Message(got)
		return false
	}
	r = newRig(t, engine.Settings{}, f).open()
	r.data(conn.Out, "abc")
	assert.Equal(t, dissect.ReasonMemory, got.Incomplete)
	assert.Contains(t, r.log.lines, "fake resync > memory")
	r.memory.Give(int(r.memory.Used()) - r.conn.Memory.Held())
	r.close()
}

// A message that an end breaks off ends there, whatever the protocol.
func TestIncompleteMessagesEnd(t *testing.T) {
	for reason, ends := range map[conn.Reason]bool{
		conn.ReasonFIN: true, conn.ReasonRST: true, conn.ReasonIdle: true, conn.ReasonEvicted: false, conn.ReasonShutdown: false,
	} {
		var got []*dissect.Message
		f := &fake{end: func(c *talk) {
			for _, why := range []conn.Reason{reason, "gap", ""} {
				m := &dissect.Message{Kind: dissect.OneWay, Incomplete: why}
				got = append(got, m)
				c.sink.Message(m)
			}
		}}
		r := newRig(t, engine.Settings{}, f).open().data(conn.Out, "x")
		r.engine.End(&r.conn, conn.Out, 77, reason)
		assert.Equal(t, ends, got[0].Ended == 77, "%v", reason)
		assert.Zero(t, got[1].Ended, "%v", reason)
		assert.Zero(t, got[2].Ended, "%v", reason)
		r.close()
	}
}
