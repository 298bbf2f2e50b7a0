// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"fmt"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TestLargeBody keeps 10 MB where that is configured, in either framing.
func TestLargeBody(t *testing.T) {
	limits := Dissector{}.Info().Limits
	limits.BodyBytes = 16 << 20
	body := strings.Repeat("0123456789", 1_000_000)
	for _, head := range []string{"Content-Length: 10000000", "Connection: close"} {
		p := newPlayer(limits)
		p.play(get("/"), server("HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n"))
		for rest := body; rest != ""; {
			n := min(len(rest), 64<<10)
			p.play(server(rest[:n]))
			rest = rest[n:]
		}
		p.play(ends(toClient, conn.ReasonFIN))
		require.Len(t, p.sink.messages, 2)
		c := p.sink.messages[1].Content
		assert.Equal(t, body, string(c.Body), head)
		assert.Empty(t, c.Truncated)
		assert.LessOrEqual(t, cap(c.Body), limits.BodyBytes)
		p.check(t)
	}
}

// TestOutstanding sends requests that nobody answers.
func TestOutstanding(t *testing.T) {
	p := newPlayer(dissect.Limits{Outstanding: 3, BodyBytes: 1})
	for i := range 10 {
		p.play(get(fmt.Sprint("/", i)))
	}
	assert.Len(t, p.sink.messages, 10)
	assert.Equal(t, 3, p.conversation.queue.len())
	assert.LessOrEqual(t, cap(p.conversation.queue.list), 8)
	assert.Len(t, p.sink.limits, 7)
}

// TestFoldedFieldIsLinear reads a field value of very many folded lines.
func TestFoldedFieldIsLinear(t *testing.T) {
	section := "X: a\n" + strings.Repeat(" b\n", 80_000)
	headers, flags := appendFields(nil, section)
	require.Len(t, headers, 1)
	assert.Len(t, headers[0].Value, 1+2*80_000)
	assert.Equal(t, flagObsFold|flagBareLF, flags)
}

// TestFlagsAreDocumented compares the flags with the table in README.md.
func TestFlagsAreDocumented(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	documented := 0
	for line := range strings.Lines(string(readme)) {
		if strings.HasPrefix(line, "| `http.") {
			documented += strings.Count(line, "`http.")
		}
	}
	for _, name := range flagNames {
		assert.Contains(t, string(readme), "`"+name+"`")
	}
	assert.Equal(t, len(flagNames), documented, "flags in README.md")
	assert.Equal(t, len(flagNames), bits.Len32(uint32(flagCutTarget)), "names of flags")
}
