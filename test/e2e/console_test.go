// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestDefaultConfig does what the README says first: start, call, look.
func TestDefaultConfig(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	config := testkit.Root("distributions", "wirespan", "config.yaml")
	c := testkit.Start(t, testkit.Program{Path: testkit.Wirespan(t), Args: []string{"--config", config}})
	// The configuration logs warnings only, so that the first call is the sign.
	testkit.Eventually(t, "the first call", func() bool {
		testkit.Curl(t, "ready", s.URL(), "/status/200", nil)
		return strings.Contains(c.Output(), "/status/200")
	})

	best := time.Hour
	for n := range 5 {
		uri := fmt.Sprintf("/echo?n=%d", n)
		call := testkit.Curl(t, "console", s.URL(), uri, []byte(`{"user_id":12345}`), "--header", "Content-Type: application/json")
		begin := time.Now()
		testkit.Eventually(t, "the call on the console", func() bool { return strings.Count(c.Output(), "POST "+uri) >= 1 })
		best = min(best, time.Since(begin))
		testkit.Eventually(t, "the whole of it", func() bool { return blockOf(c.Output(), uri, "Seen:") != "" })
		block := blockOf(c.Output(), uri, "Seen:")
		for _, line := range []string{
			"API: POST " + uri, `Request body: {"user_id":12345}`, `Response body: {"user_id":12345}`,
			"Latency: ", "Status: 200 OK", "Process: ",
		} {
			assert.Contains(t, block, line)
		}
		assert.Contains(t, c.Output(), fmt.Sprintf("Process: curl (PID %d)", call.PID))
	}
	assert.NotContains(t, c.Output(), "\tinfo\t", "what is not a call")
	t.Logf("best time from the end of the call to the console: %v", best)
	assert.Less(t, best, time.Second)
}

// blockOf is the printed block with a URI, if it is there to its last line.
func blockOf(output, uri, last string) string {
	for block := range strings.SplitSeq(output, "\n\n") {
		if strings.Contains(block, uri+"\n") && strings.Contains(block, last) {
			return block
		}
	}
	return ""
}
