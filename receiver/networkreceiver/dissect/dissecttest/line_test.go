// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest/line"
)

func TestGolden(t *testing.T) { dissecttest.Golden(t, line.Dissector{}) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, line.Dissector{}) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, line.Dissector{}) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, line.Dissector{}) }

func TestParseRejects(t *testing.T) {
	for _, text := range []string{
		"  \"goes on with nothing\"\n",
		"> no quotes\n",
		"> \"open\n",
		"> \"a\" * x\n",
		"> * 3\n",
		"> hex zz\n",
		"gap 3\n",
		"gap > many\n",
		"end\n",
		"end > tomorrow\n",
		"wait long\n",
		"port 70000\n",
		"limit depth 3\n",
		"frobnicate\n",
	} {
		_, err := dissecttest.Parse("x", []byte(text))
		assert.Error(t, err, "%q", text)
	}
}

// The harness has to notice a dissector that breaks its promises.
func TestRunNotices(t *testing.T) {
	script, err := dissecttest.Parse("x", []byte("> \"GET a\\n\"\n< \"OK 1\\nx\"\n"))
	require.NoError(t, err)
	for name, data := range map[string]func(dissect.Sink, []byte) (int, int){
		"panics":           func(dissect.Sink, []byte) (int, int) { panic("boom") },
		"uses too much":    func(_ dissect.Sink, b []byte) (int, int) { return len(b) + 1, 0 },
		"uses less than 0": func(dissect.Sink, []byte) (int, int) { return -1, 0 },
		"stalls":           func(_ dissect.Sink, b []byte) (int, int) { return 0, len(b) },
		"keeps":            func(s dissect.Sink, b []byte) (int, int) { s.Keep(1); return len(b), 0 },
		"turns back": func(s dissect.Sink, b []byte) (int, int) {
			m := &dissect.Message{Kind: dissect.OneWay, Protocol: line.Line{}}
			m.First.Offset = 3
			s.Message(m)
			return len(b), 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.NotEmpty(t, dissecttest.Run(script, broken{data: data}).Problems)
		})
	}
}

// broken is the line dissector with another Data.
type broken struct {
	line.Dissector
	data func(s dissect.Sink, b []byte) (used, need int)
}

func (b broken) New(l dissect.Limits, s dissect.Sink) dissect.Conversation {
	return &brokenConversation{b.Dissector.New(l, s), b.data, s}
}

type brokenConversation struct {
	dissect.Conversation
	data func(s dissect.Sink, b []byte) (used, need int)
	sink dissect.Sink
}

func (c *brokenConversation) Data(_ dissect.Direction, _ dissect.Marks, b []byte) (used, need int, err error) {
	used, need = c.data(c.sink, b)
	return used, need, nil
}
