// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

// Where no backend is chosen, calls go to the collector's own log and to no other
// place, whatever the transport.
func TestNothingIsSentUnlessChosen(t *testing.T) {
	for transport, exporters := range map[string][]string{
		"direct":  {"console"},
		"gateway": {"otlp_grpc/gateway", "console"},
	} {
		for i, c := range configs(t, mustTemplate(t, `transport="`+transport+`"`)) {
			var parsed object
			require.NoError(t, yaml.Unmarshal([]byte(c.text), &parsed))
			configured, _ := parsed.at("exporters").(object)
			assert.Len(t, configured, 1, "%s: %s", transport, c.name)
			assert.Contains(t, configured, exporters[i], "%s: %s", transport, c.name)
			assert.NoError(t, c.validate(t), transport)
			if i == 0 {
				assert.Equal(t, false, parsed.at("receivers", "network", "payload", "enabled"), transport)
			}
		}
	}
}

// The default agent prints a line for each call, and nothing of what the calls carry.
func TestDefaultAgentPrintsCallsWithoutPayloads(t *testing.T) {
	const inBody = "<title>Shop</title>"
	capture := func(sets ...string) string {
		ip := loopback(t)
		run := configs(t, mustTemplate(t, append(sets, outside...)...))[0].start(t, ip)
		testkit.Eventually(t, "calls in the log", func() bool { return strings.Count(run.Output(), "/lines.json") >= 2 })
		run.Stop()
		return run.Output()
	}
	assert.Contains(t, capture(`backend="console"`), inBody, "the capture file has it")
	assert.NotContains(t, capture(), inBody)
}
