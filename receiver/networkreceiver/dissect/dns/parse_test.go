// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestParse(t *testing.T) {
	p, err := parse(unhex(t, aResponse), 1<<10)
	require.NoError(t, err)
	assert.Equal(t, Question{Name: "www.example", Type: dns.TypeA, Class: dns.ClassINET}, p.Question)
	assert.Equal(t, []string{"192.0.2.1"}, p.Addresses)
	assert.Equal(t, ";; QUERY NOERROR id 4660 rd ra\n;www.example. IN A\nwww.example. 300 IN A 192.0.2.1", string(p.text.bytes()))
	assert.Empty(t, p.flags)

	root, err := parse(unhex(t, "0001 0100 0001 0000 0000 0000 00 0002 0001"), 1<<10)
	require.NoError(t, err)
	assert.Equal(t, ".", root.Question.Name)

	odd, err := parse(unhex(t, "0001 0100 0001 0000 0000 0000 05 61 2e 0a 22 ff 00 0001 0001"), 1<<10)
	require.NoError(t, err)
	assert.Equal(t, `a\.\010\"\255`, odd.Question.Name)

	for _, bad := range []string{"", "0001 0100 0001 0000 0000 00", "0001 0100 0001 0000 0000 0000", "0001 0100 0001 0000 0000 0000 c00c 0001 0001"} {
		_, err := parse(unhex(t, bad), 1<<10)
		assert.Error(t, err, bad)
	}
}

// TestKey: retries and servers may write the name in another case.
func TestKey(t *testing.T) {
	key := func(message string, reversed bool) uint64 {
		p, err := parse(unhex(t, message), 1<<10)
		require.NoError(t, err)
		return p.keyOf(reversed)
	}
	want := key(aQuery, false)
	assert.Equal(t, want, key(aResponse, false))
	assert.Equal(t, want, key(strings.Replace(aQuery, "777777", "575777", 1), false))
	assert.NotEqual(t, want, key(aQuery, true), "of the other end")
	assert.NotEqual(t, want, key("1235"+aQuery[4:], false), "another id")
	assert.NotEqual(t, want, key(aQuery[:len(aQuery)-9]+"001c 0001", false), "another type")
}

// hostile is the largest message with as many records as fit, whose names are as long
// as they can be by compression.
func hostile() []byte {
	b := []byte{0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}
	for range 3 {
		b = append(append(b, 63), make([]byte, 63)...)
	}
	b = append(append(b, 61), make([]byte, 61)...)
	b = append(b, 0, 0, 1, 0, 1)
	n := 0
	for len(b) < 65_000 {
		b = append(b, 0xc0, 12, 0, 2, 0, 1, 0, 0, 0, 1, 0, 2, 0xc0, 12)
		n++
	}
	binary.BigEndian.PutUint16(b[6:], uint16(n))
	return b
}

func TestLimitsHold(t *testing.T) {
	b := hostile()
	p, err := parse(b, 10<<10)
	require.NoError(t, err)
	text := p.text.bytes()
	assert.LessOrEqual(t, len(text), 10<<10)
	assert.True(t, p.text.cut)
	assert.True(t, strings.HasPrefix(string(text[strings.LastIndexByte(string(text), '\n')+1:]), `\000`), "a whole line")
	assert.Len(t, p.Answers, maxAnswers)
	assert.Greater(t, p.Records[0], 4000)
	assert.LessOrEqual(t, p.kept, 10<<10)
	for _, answer := range p.Answers {
		assert.LessOrEqual(t, len(answer), maxAnswer+len("NS "))
	}
}

// TestOutstanding asks and never answers.
func TestOutstanding(t *testing.T) {
	c := UDP.New(dissect.Limits{Outstanding: 3, Age: 1e9, BodyBytes: 100}, discard{}).(*conversation)
	query := unhex(t, aQuery)
	for i := range 100 {
		binary.BigEndian.PutUint16(query, uint16(i))
		_, _, err := c.Data(dissect.ToServer, dissect.MarksOf(conn.Mark{}), query)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(c.queries.order), 3)
		assert.LessOrEqual(t, len(c.queries.byKey), 3)
	}
}

// TestFlagsAreDocumented compares the flags with the table in README.md.
func TestFlagsAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	flags := []string{flagCut, flagRest, flagRepeat, flagManyOPT}
	for _, flag := range flags {
		assert.Contains(t, string(readme), "\n| `"+flag+"` |")
	}
	assert.Equal(t, len(flags), strings.Count(string(readme), "\n| `dns."))
}

// FuzzParse compares with the library, and checks the limits.
func FuzzParse(f *testing.F) {
	f.Add(unhex(f, aQuery))
	f.Add(unhex(f, aResponse))
	f.Add(hostile()[:1000])
	for _, b := range seed.Datagrams(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 512
		p, err := parse(b, limit)
		if err == nil {
			require.LessOrEqual(t, len(p.text.bytes()), limit)
			require.LessOrEqual(t, p.kept, limit)
			require.LessOrEqual(t, len(p.Answers), maxAnswers)
		}
		var m dns.Msg
		if m.Unpack(b) != nil || len(m.Question) == 0 || m.Len() > len(b) || !pointsBack(b, len(m.Question)) {
			return
		}
		require.NoError(t, err)
		require.Equal(t, m.Id, p.ID)
		require.Equal(t, len(m.Question), p.Questions)
		require.Equal(t, m.Question[0].Qtype, p.Question.Type)
		require.Equal(t, strings.TrimSuffix(m.Question[0].Name, "."), strings.TrimSuffix(p.Question.Name, "."))
		require.Equal(t, m.Rcode&maskCode, int(p.Code)&maskCode)
	})
}

// pointsBack tells whether the names of questions point to earlier names only (RFC
// 1035, section 4.1.4). The library follows any pointer.
func pointsBack(b []byte, questions int) bool {
	at := headerBytes
	for range questions {
		end := skipName(b, at)
		if end < 0 {
			return false
		}
		at = end + questionBytes
	}
	return true
}

type discard struct{}

func (discard) Message(*dissect.Message) {}
func (discard) Started(*dissect.Message) {}
func (discard) Upgrade(string)           {}
func (discard) Limit(string)             {}
func (discard) Keep(int) bool            { return true }
func (discard) Release(int)              {}

// noMemory is a sink that grants nothing.
type noMemory struct {
	discard
	messages []*dissect.Message
}

func (*noMemory) Keep(int) bool                { return false }
func (n *noMemory) Message(m *dissect.Message) { n.messages = append(n.messages, m) }

func TestWithoutMemory(t *testing.T) {
	sink := &noMemory{}
	c := UDP.New(UDP.Info().Limits, sink)
	_, _, err := c.Data(dissect.ToClient, dissect.MarksOf(conn.Mark{}), unhex(t, aResponse))
	require.NoError(t, err)
	require.Len(t, sink.messages, 1)
	m := sink.messages[0]
	assert.Equal(t, "memory", m.Content.Truncated)
	assert.Zero(t, m.Reserved)
	assert.Empty(t, m.Content.Body)
	info := m.Protocol.(*Info)
	assert.Empty(t, info.Answers)
	assert.Equal(t, "www.example", info.Question.Name)
	assert.Equal(t, [3]int{1, 0, 0}, info.Records)
}

// BenchmarkQuery is a query and its response over UDP.
func BenchmarkQuery(b *testing.B) {
	query, response := unhex(b, aQuery), unhex(b, aResponse)
	c := UDP.New(UDP.Info().Limits, discard{})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		binary.BigEndian.PutUint16(query, uint16(i))
		binary.BigEndian.PutUint16(response, uint16(i))
		m := dissect.MarksOf(conn.Mark{Time: int64(i) * 1e6})
		_, _, _ = c.Data(dissect.ToServer, m, query)
		_, _, _ = c.Data(dissect.ToClient, m, response)
	}
}

// BenchmarkHostile is the most that a message can cost.
func BenchmarkHostile(b *testing.B) {
	message := hostile()
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = parse(message, 64<<10)
	}
}
