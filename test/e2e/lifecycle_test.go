// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// nobody is a user without any capability.
const nobody = 65534

// TestMissingPrivileges expects the collector to end at once, and one line that
// names what is missing and how to give it.
func TestMissingPrivileges(t *testing.T) {
	testkit.NeedRoot(t)
	c := testkit.LaunchCollector(t, testkit.CollectorConfig{
		Network: testkit.M{}, NoFile: true, UID: nobody, Exporters: testkit.M{"debug": testkit.M{}},
	})
	assert.NotZero(t, c.Wait(testkit.Patience))
	assert.NotContains(t, c.Output(), "Everything is ready")
	assert.NotContains(t, c.Output(), "panic")
	last := lastLine(c.Output())
	assert.Contains(t, last, "CAP_BPF")
	assert.Contains(t, last, "CAP_NET_ADMIN")
	assert.Contains(t, last, "root", "how to give it")
}

func lastLine(s string) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return all[len(all)-1]
}

// TestTwoOnOneMachine runs two collectors beside each other: the end of one must not
// disturb the other.
func TestTwoOnOneMachine(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	first, second := live(t, nil), live(t, nil)
	calls := testkit.Send(t, testkit.Load{URL: s.URL(), Name: "both", Requests: 20})
	first.Shutdown()
	calls = append(calls, testkit.Send(t, testkit.Load{URL: s.URL(), Name: "second", Requests: 20})...)
	second.Shutdown()
	wants := between(t, calls, s)
	checkCalls(t, first.Calls(), wants[:20])
	checkCalls(t, second.Calls(), wants)
}

// TestReload changes nothing and asks for a reload, after which the collector has
// no privilege left to load programs with. Calls before, during and after it are there.
func TestReload(t *testing.T) {
	testkit.NeedRoot(t)
	s := testkit.GoServer(t, testkit.Place{})
	c := live(t, nil)
	assert.Zero(t, capabilities(t, c.PID())&^(sysPtrace|perfmon), "capabilities that nothing needs any more")
	calls := testkit.Send(t, testkit.Load{URL: s.URL(), Name: "before", Requests: 10})
	c.AwaitSpans("before", 20)
	c.Signal(syscall.SIGHUP)
	testkit.Eventually(t, "the reload", func() bool {
		return strings.Contains(c.Output(), "with the programs that are attached")
	})
	calls = append(calls, testkit.Send(t, testkit.Load{URL: s.URL(), Name: "after", Requests: 10})...)
	c.Shutdown()
	checkCalls(t, c.Calls(), between(t, calls, s))
}

// What is kept: to look at other processes, and to place probes in their libraries
// (capabilities(7)).
const (
	sysPtrace = 1 << 19
	perfmon   = 1 << 38
)

// capabilities are the effective ones of a process.
func capabilities(t *testing.T, pid int) (set uint64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(status), "CapEff:\t")
	require.True(t, found)
	_, err = fmt.Sscanf(rest, "%x", &set)
	require.NoError(t, err)
	return set
}
