// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// folder is where the captures are; they are not part of the project.
func folder(t testing.TB) string {
	t.Helper()
	dir := testkit.Root("..", "shared", "corpus")
	if _, err := os.Stat(dir); err != nil {
		testkit.Lacking(t, "the captures of ../shared/corpus")
	}
	return dir
}

// captures are the paths of all captures of dev.
func captures(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder(t), "dev", "*.pcap*"))
	require.NoError(t, err)
	require.Len(t, files, 93, "captures")
	return files
}

// oracleLine is what the oracle's files say about HTTP.
type oracleLine struct {
	K      string `json:"k"`
	Client string `json:"client"`
	Server string `json:"server"`
	Src    string `json:"src"` // of a response without its request
	Dst    string `json:"dst"`
	Method string `json:"method"`
	URI    string `json:"uri"`
	Status int    `json:"status"`
	Req    side   `json:"req"`
	Resp   side   `json:"resp"`
	side          // of a response without its request
}

type side struct {
	Body       int    `json:"body"`
	BodySHA256 string `json:"body_sha256"`
}

// oracle gives the HTTP/1 calls that the other analyser has found.
func oracle(t testing.TB, capture string) []call {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), "oracle", filepath.Base(capture)+".jsonl"))
	require.NoError(t, err)
	var calls []call
	for line := range bytes.Lines(b) {
		var of struct {
			Proto string `json:"proto"`
		}
		require.NoError(t, json.Unmarshal(line, &of), "%s", line)
		if of.Proto != "http" {
			continue
		}
		var o oracleLine
		require.NoError(t, json.Unmarshal(line, &o), "%s", line)
		switch o.K {
		case "call":
			calls = append(calls, call{
				client: o.Client, server: o.Server, method: o.Method, uri: o.URI, status: o.Status,
				request: body{size: o.Req.Body, sum: o.Req.BodySHA256}, response: body{size: o.Resp.Body, sum: o.Resp.BodySHA256},
			})
		case "msg":
			calls = append(calls, call{
				client: o.Dst, server: o.Src, status: o.Status, response: body{size: o.Body, sum: o.BodySHA256},
			})
		}
	}
	return calls
}

// call is one HTTP/1 call as either analyser tells it.
type call struct {
	client, server string
	method, uri    string // empty without a request
	status         int    // 0 without a response
	request        body
	response       body
}

// body is a body with its codings removed. The oracle does not always give a sum.
type body struct {
	size int
	sum  string
	// note says what Wirespan itself calls incomplete.
	note string
}

func (b body) String() string {
	if b.note != "" {
		return fmt.Sprintf("%d bytes (%s)", b.size, b.note)
	}
	return fmt.Sprintf("%d bytes", b.size)
}

func (b body) equal(other body) bool {
	return b.size == other.size && (b.size == 0 || b.sum == "" || other.sum == "" || b.sum == other.sum)
}

func (c call) String() string {
	name := strings.TrimSpace(c.method + " " + short(c.uri))
	if name == "" {
		name = "(no request)"
	}
	if c.status == 0 {
		return name + " (no response)"
	}
	return fmt.Sprintf("%s %d", name, c.status)
}

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
