// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package summary

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestSummary(t *testing.T) {
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(`
receivers: {network: {}, otlp: {}}
processors: {batch: {}, filter/a: {}}
exporters: {console: {}, debug: {}}
connectors: {count: {}}
extensions: {zpages: {}, health_check: {}}
service:
  extensions: [zpages]
  pipelines:
    traces: {receivers: [network], processors: [filter/a, batch], exporters: [console, count]}
    metrics/calls: {receivers: [count], exporters: [debug]}
`))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	assert.Equal(t, `The configuration is valid.
  receivers   network
  processors  filter/a, batch
  exporters   debug, console
  connectors  count
  extensions  zpages
  pipeline    metrics/calls: count → debug
  pipeline    traces: network → filter/a → batch → console, count
  unused      receivers otlp
  unused      extensions health_check
Not tried: privileges, files that are read at the start, and whether anybody listens at an endpoint.
`, Of(conf))
}
