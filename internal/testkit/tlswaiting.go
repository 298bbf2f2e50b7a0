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
	return startWaiting(t, Program{
		Path: NeedProgram(t, interpreter), Args: []string{filepath.Join(programs(), file), base, uri, "-", ""},
		Env: []string{"TLS_AUTHORITY=" + c.Authority, "LD_LIBRARY_PATH=" + libraries},
	})
}

// StartSlowTLSClient starts a client that reads slowly, in a mode: blocking, asyncio, node or http2.
// It begins calls with a sequence number and a URI, all over one connection.
func StartSlowTLSClient(t testing.TB, c *Certificates, mode, base string) *WaitingTLSClient {
	t.Helper()
	interpreter, file := "/usr/bin/python3", "tlsslow.py"
	if mode == "node" || mode == "http2" {
		interpreter, file = "node", "tlsslow.js"
	}
	return startWaiting(t, Program{
		Path: NeedProgram(t, interpreter), Args: []string{filepath.Join(programs(), file), mode, base}, Env: []string{"TLS_AUTHORITY=" + c.Authority},
	})
}

func startWaiting(t testing.TB, p Program) *WaitingTLSClient {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	t.Cleanup(func() { _ = w.Close() })
	p.Stdin = r
	return &WaitingTLSClient{stdin: w, Process: Start(t, p)}
}

// Call lets the client call once.
func (c *WaitingTLSClient) Call(sequence string) truth.Call {
	c.t.Helper()
	c.Begin(sequence)
	call := c.Await()
	call.Sequence = sequence
	return call
}

// Begin lets the client begin a call.
func (c *WaitingTLSClient) Begin(line string) {
	c.t.Helper()
	_, err := c.stdin.WriteString(line + "\n")
	require.NoError(c.t, err)
	c.calls++
}

// Await waits until all calls that were begun are over, and tells of the last.
func (c *WaitingTLSClient) Await() (call truth.Call) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal([]byte(c.answer()), &call))
	return call
}

// answer waits until the client has answered all lines, and returns its last answer.
func (c *WaitingTLSClient) answer() string {
	c.t.Helper()
	Eventually(c.t, "the client's call", func() bool {
		require.False(c.t, c.Exited(), "client ended: %s", c.Output())
		return strings.Count(c.Output(), "\n") == c.calls
	})
	return strings.Split(c.Output(), "\n")[c.calls-1]
}

// Loaded tells whether the client has a library mapped.
func (c *WaitingTLSClient) Loaded(library string) bool {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.PID()), "maps"))
	require.NoError(c.t, err)
	return strings.Contains(string(b), library)
}
