// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// WaitingTLSClient runs before it is told to call.
type WaitingTLSClient struct {
	*Process
	stdin *os.File
	calls int
}

// StartWaitingTLSClient starts the client of an interpreter, ruby or php, that calls a
// server for the same each time. It gets the libraries that are in a folder before those
// of the machine.
func StartWaitingTLSClient(t testing.TB, c *Certificates, interpreter, libraries, base, uri string) *WaitingTLSClient {
	t.Helper()
	file := map[string]string{"ruby": "tlsclient.rb", "php": "tlsclient.php"}[interpreter]
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	t.Cleanup(func() { _ = w.Close() })
	return &WaitingTLSClient{stdin: w, Process: Start(t, Program{
		Path: NeedProgram(t, interpreter), Args: []string{filepath.Join(programs(), file), base, uri, "-", ""}, Stdin: r,
		Env: []string{"TLS_AUTHORITY=" + c.Authority, "LD_LIBRARY_PATH=" + libraries},
	})}
}

// Call lets the client call once.
func (c *WaitingTLSClient) Call(sequence string) (call truth.Call) {
	c.t.Helper()
	_, err := c.stdin.WriteString(sequence + "\n")
	require.NoError(c.t, err)
	c.calls++
	Eventually(c.t, "the client's call", func() bool {
		require.False(c.t, c.Exited(), "client ended: %s", c.Output())
		return strings.Count(c.Output(), "\n") == c.calls
	})
	lines := strings.Split(c.Output(), "\n")
	require.NoError(c.t, json.Unmarshal([]byte(lines[c.calls-1]), &call))
	call.Sequence = sequence
	return call
}

// Loaded tells whether the client has a library mapped.
func (c *WaitingTLSClient) Loaded(library string) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.PID()), "maps"))
	require.NoError(c.t, err)
	return strings.Contains(string(b), library)
}
