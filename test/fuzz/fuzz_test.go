// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestProgress(t *testing.T) {
	var o outcome
	_, err := fmt.Fprint(lines(o.read), `fuzz: elapsed: 0s, gathering baseline coverage: 0/4 completed
fuzz: elapsed: 3s, execs: 15492 (5164/sec), new interesting: 63 (total: 67)
fuzz: elapsed: 1m0s, execs: 1234567 (10/sec), new interesting: 80 (total: 84)
PASS
`)
	require.NoError(t, err)
	assert.Equal(t, outcome{executions: 1234567, interesting: 80, elapsed: time.Minute}, o)
}

func TestTable(t *testing.T) {
	targets := []target{{"a/b", "FuzzA"}, {"c", "FuzzB"}}
	outcomes := []outcome{{1234567, 3, time.Minute, passed}, {12, 0, time.Second, "FAILED"}}
	var out bytes.Buffer
	assert.False(t, table(&out, targets, outcomes))
	assert.Equal(t, `| Target | Executions | New interesting inputs | Seconds | Result |
| --- | --- | --- | --- | --- |
| `+"`a/b.FuzzA`"+` | 1,234,567 | 3 | 60 | ok |
| `+"`c.FuzzB`"+` | 12 | 0 | 1 | FAILED |
| 2 targets | 1,234,579 | | | |
`, out.String())
	assert.True(t, table(&out, targets[:1], outcomes[:1]))
}

func TestFind(t *testing.T) {
	t.Chdir(testkit.Root())
	all, err := find(nil)
	require.NoError(t, err)
	assert.Greater(t, len(all), 30)
	some, err := find([]string{`pair\.`, `conn\.FuzzTable$`})
	require.NoError(t, err)
	assert.Equal(t, []target{{"receiver/networkreceiver/pair", "FuzzPairer"}, {"receiver/networkreceiver/conn", "FuzzTable"}}, some)
	_, err = find([]string{"no such target"})
	require.Error(t, err)
}

// A run that is paused is none that hangs.
func TestStopped(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Kill())
		assert.Error(t, cmd.Wait())
	})
	pid := cmd.Process.Pid
	assert.False(t, stopped(pid))
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	testkit.Eventually(t, "the process to stop", func() bool { return stopped(pid) })
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	testkit.Eventually(t, "the process to go on", func() bool { return !stopped(pid) })
}
