// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Load says what the client of programs/client sends.
type Load struct {
	URL         string
	Name        string // what the ids of the requests begin with; unique in a test
	Method      string // GET if empty
	Path        string
	Size        int  // bytes of request body
	Text        bool // a body of text
	Requests    int
	Connections int
	HTTP2       bool    // Connections are concurrent streams of one connection
	Authority   string  // file of the certificate to trust, for TLS; see Certificates
	Rate        float64 // requests per second; 0 for as fast as it goes
	Place       Place
	Bound       time.Duration // a minute if 0
}

func (l Load) args() []string {
	args := []string{
		"-url", l.URL, "-name", l.Name, "-requests", fmt.Sprint(l.Requests),
		"-connections", fmt.Sprint(max(l.Connections, 1)), "-rate", fmt.Sprint(l.Rate), "-size", fmt.Sprint(l.Size),
		fmt.Sprintf("-text=%t", l.Text), fmt.Sprintf("-http2=%t", l.HTTP2), "-authority", l.Authority,
	}
	if l.Method != "" {
		args = append(args, "-method", l.Method)
	}
	if l.Path != "" {
		args = append(args, "-path", l.Path)
	}
	return args
}

// Client is a running client that logs what became of its requests.
type Client struct {
	*Process
	log   string
	load  Load
	steps int
	stdin io.WriteCloser
}

// StartClient starts a client that sends its load.
func StartClient(t testing.TB, load Load) *Client {
	t.Helper()
	return startClient(t, load, nil)
}

// StepClient starts a client that sends its load once for each call of Step,
// each time over the same connections.
func StepClient(t testing.TB, load Load) *Client {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	t.Cleanup(func() { _ = w.Close() })
	c := startClient(t, load, r)
	c.stdin = w
	return c
}

func startClient(t testing.TB, load Load, stdin *os.File) *Client {
	t.Helper()
	log := filepath.Join(t.TempDir(), "truth.jsonl")
	args := load.args()
	if stdin != nil {
		args = append(args, "-step")
	}
	return &Client{log: log, load: load, Process: Start(t, Program{
		Path: Build(t, "client"), Args: args, Env: []string{"TRUTH=" + log},
		Stdin: stdin, NetNS: load.Place.NetNS, Cgroup: load.Place.Cgroup,
	})}
}

// Send runs a load to its end and gives what the client says about it.
func Send(t testing.TB, load Load) []truth.Call {
	t.Helper()
	return StartClient(t, load).Finish()
}

// Finish waits for the client's end and gives what it says about its calls.
func (c *Client) Finish() []truth.Call {
	c.t.Helper()
	bound := c.load.Bound
	if bound == 0 {
		bound = time.Minute
	}
	require.Zero(c.t, c.Wait(bound), "%s", c.Output())
	return c.Truth()
}

// Step lets the client send its load once more and waits until it has. It gives
// what the client says about the calls of this step.
func (c *Client) Step() []truth.Call {
	c.t.Helper()
	_, err := c.stdin.Write([]byte("\n"))
	require.NoError(c.t, err)
	before := c.steps * c.load.Requests
	c.steps++
	var calls []truth.Call
	Eventually(c.t, "the client's step", func() bool {
		require.False(c.t, c.Exited(), "client ended: %s", c.Output())
		calls = c.Truth()
		return len(calls) == c.steps*c.load.Requests
	})
	return calls[before:]
}

// Truth is what the client has logged so far.
func (c *Client) Truth() []truth.Call {
	c.t.Helper()
	if _, err := os.Stat(c.log); os.IsNotExist(err) {
		return nil
	}
	calls, err := truth.Read(c.log)
	require.NoError(c.t, err)
	return calls
}
