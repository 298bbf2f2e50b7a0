// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

// The filter in docs/traces.md drops what it says: spans of traces that are not
// sampled.
func TestFilterOfUnsampledTraces(t *testing.T) {
	block := ""
	for _, code := range pages(t) {
		if code.Page == "docs/traces.md" && strings.Contains(code.Text, "flags - ") {
			block = code.Text
		}
	}
	require.NotEmpty(t, block)
	capture, traces := filepath.Join(t.TempDir(), "one.pcap"), filepath.Join(t.TempDir(), "traces.jsonl")
	var calls [][]string
	for path, header := range map[string]string{
		"/sampled":   "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n",
		"/unsampled": "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00\r\n",
		"/plain":     "",
	} {
		calls = append(calls, []string{"GET " + path + " HTTP/1.1\r\nHost: shop.example\r\n" + header + "\r\n", "HTTP/1.1 204 No Content\r\n\r\n"})
	}
	testkit.WritePcap(t, capture, calls...)
	text, err := yaml.Marshal(testkit.M{
		"receivers": testkit.M{"network": testkit.M{"capture": testkit.M{"pcap": testkit.M{"files": []string{capture}, "on_end": "exit"}}}},
		"exporters": testkit.M{"file": testkit.M{"path": traces}},
		"service": testkit.M{
			"pipelines": testkit.M{"traces": testkit.M{"receivers": []string{"network"}, "processors": []string{"filter"}, "exporters": []string{"file"}}},
			"telemetry": testkit.M{"metrics": testkit.M{"level": "none"}},
		},
	})
	require.NoError(t, err)
	testkit.Run(t, testkit.Program{Path: full(t), Args: []string{"--config=" + write(t, "config.yaml", string(text)), "--config=" + write(t, "block.yaml", block)}})
	exported, err := os.ReadFile(traces)
	require.NoError(t, err)
	assert.Contains(t, string(exported), "/sampled")
	assert.Contains(t, string(exported), "/plain")
	assert.NotContains(t, string(exported), "/unsampled")
}
