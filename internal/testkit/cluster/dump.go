// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Dump writes what explains a failed test: the cluster's objects and events, and
// the ends of the logs of a namespace's containers and of the node's daemons.
func (c *Cluster) Dump(t testing.TB, namespaces ...string) {
	t.Helper()
	for _, args := range [][]string{
		{"get", "pods,services,endpointslices", "--all-namespaces", "-o", "wide"},
		{"get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"},
	} {
		out, _ := c.TryKubectl("", args...)
		t.Logf("kubectl %s\n%s", strings.Join(args, " "), tail(out))
	}
	for _, namespace := range namespaces {
		logs, _ := filepath.Glob(filepath.Join(c.Dir, "log", "pods", namespace+"_*", "*", "*.log"))
		for _, path := range logs {
			t.Logf("%s\n%s", strings.TrimPrefix(path, c.Dir), tail(read(path)))
		}
	}
	for _, p := range c.node.processes {
		t.Logf("%s\n%s", p.name, tail(p.process.Output()))
	}
}

func read(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}
