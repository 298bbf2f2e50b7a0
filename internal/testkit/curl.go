// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// Curl makes one call with curl and gives what curl says about it. Of the body it
// tells what curl's user gets, so without a content coding.
func Curl(t testing.TB, sequence, base, uri string, request []byte, args ...string) truth.Call {
	t.Helper()
	dir := t.TempDir()
	output := filepath.Join(dir, "response")
	args = append([]string{
		"--silent", "--show-error", "--globoff", "--max-time", "30", "--output", output,
		"--write-out", "%{method} %{http_code}", "--header", truth.SequenceHeader + ": " + sequence,
	}, args...)
	if request != nil {
		input := filepath.Join(dir, "request")
		require.NoError(t, os.WriteFile(input, request, 0o644))
		args = append(args, "--data-binary", "@"+input)
	}
	run := Start(t, Program{Path: NeedProgram(t, "curl"), Args: append(args, base+uri)})
	require.Zero(t, run.Wait(Patience), "%s", run.Output())
	method, code, ok := strings.Cut(run.Output(), " ")
	require.True(t, ok, "%s", run.Output())
	status, err := strconv.Atoi(code)
	require.NoError(t, err)
	var response []byte
	if method != "HEAD" { // for which curl writes the headers
		response, _ = os.ReadFile(output)
	}
	return truth.Call{
		PID: run.PID(), Sequence: sequence, Method: method, URI: uri, Status: status,
		RequestSize: len(request), RequestSHA256: truth.Sum(request),
		ResponseSize: len(response), ResponseSHA256: truth.Sum(response),
	}
}

// Wrk runs wrk for so many seconds, with about 100 requests per second over each
// of 8 connections, and gives its process and how many calls it completed.
// The ids of its requests begin with name.
func Wrk(t testing.TB, name, url string, seconds int) (pid, completed int) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "sequence.lua")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, wrkScript, name, truth.SequenceHeader), 0o644))
	run := Start(t, Program{Path: NeedProgram(t, "wrk"), Args: []string{
		"--threads", "2", "--connections", "8", "--duration", fmt.Sprintf("%ds", seconds), "--script", script, url,
	}})
	require.Zero(t, run.Wait(2*Patience), "%s", run.Output())
	for line := range strings.Lines(run.Output()) {
		if n, found := strings.CutPrefix(strings.TrimSpace(line), "completed "); found {
			completed, err := strconv.Atoi(n)
			require.NoError(t, err)
			return run.PID(), completed
		}
	}
	require.Fail(t, "no summary", "%s", run.Output())
	return 0, 0
}

const wrkScript = `
local threads = 0
function setup(thread) threads = threads + 1; thread:set("thread", threads) end
function init() n = 0 end
function delay() return 10 end
function request()
  n = n + 1
  local id = "%[1]s-" .. thread .. "-" .. n
  return wrk.format(nil, wrk.path .. "?id=" .. id, { ["%[2]s"] = id })
end
function done(summary) print("completed " .. summary.requests) end
`
