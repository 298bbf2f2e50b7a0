// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestReplay replays capture files to their end, without privileges.
func TestReplay(t *testing.T) {
	dir, user := t.TempDir(), 0
	if os.Geteuid() == 0 {
		user = nobody
		require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755))
	}
	good := filepath.Join(dir, "good.pcap")
	testkit.WritePcap(t, good, exchange("a"), exchange("b"), exchange("c"))
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	broken := filepath.Join(dir, "broken.pcap")
	require.NoError(t, os.WriteFile(broken, whole[:len(whole)-30], 0o644))
	noCapture := filepath.Join(dir, "text.pcap")
	require.NoError(t, os.WriteFile(noCapture, []byte(strings.Repeat("This is no capture file. ", 10)), 0o644))

	for _, test := range []struct {
		name, files string
		ok          bool
		calls       int
		says        string // in the output, for a failure
	}{
		{"good", good, true, 3, ""},
		{"broken", broken, false, 3, "broken.pcap"},
		{"no capture", noCapture, false, 0, "text.pcap"},
		{"nothing there", filepath.Join(dir, "nothing*.pcap"), false, 0, "nothing*.pcap"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := testkit.LaunchCollector(t, testkit.CollectorConfig{UID: user, Network: testkit.M{
				"capture": testkit.M{"pcap": testkit.M{"files": []string{test.files}, "on_end": "exit"}},
			}})
			code := c.Wait(testkit.Patience)
			assert.Equal(t, test.ok, code == 0, "exit status %d: %s", code, c.Output())
			assert.Contains(t, c.Output(), test.says)
			calls := c.Calls()
			require.Len(t, calls, test.calls)
			for n, call := range calls {
				checkReplayed(t, call, string(rune('a'+n)))
			}
		})
	}
}

func exchange(name string) []string {
	body := strings.Repeat(name, 2500)
	return []string{
		fmt.Sprintf("POST /%s HTTP/1.1\r\nHost: example.test\r\nContent-Type: text/plain\r\nContent-Length: 2500\r\n\r\n%s", name, body),
		fmt.Sprintf("HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 2500\r\n\r\n%s", body),
	}
}

// checkReplayed expects one CLIENT span with the times of the capture.
func checkReplayed(t *testing.T, call testkit.Call, name string) {
	assert.Equal(t, client, call.Kind)
	assert.Equal(t, "POST", call.Method)
	assert.Equal(t, "/"+name, call.URI)
	assert.Equal(t, 201, call.Status)
	assert.Equal(t, 1, call.Records)
	body := truth.Sum([]byte(strings.Repeat(name, 2500)))
	assert.Equal(t, body, truth.Sum(call.Request.Body), "request body")
	assert.Equal(t, body, truth.Sum(call.Response.Body), "response body")
	assert.Equal(t, testkit.CaptureStart.Year(), call.Start.Year())
	assert.Less(t, call.Start.Sub(testkit.CaptureStart).Seconds(), 1.0)
	assert.True(t, call.End.After(call.Start))
}
