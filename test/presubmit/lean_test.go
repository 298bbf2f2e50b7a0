// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// manifest is a manifest of the Collector's builder.
type manifest struct {
	Dist                                                                map[string]string
	Receivers, Processors, Exporters, Connectors, Extensions, Providers []map[string]string
	Replaces                                                            []string
}

func readManifest(t *testing.T, path string) (m manifest) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(read(t, path)), &m))
	return m
}

// The lean build is the distribution with fewer components: the same versions, and
// the same way of building.
func TestLeanBuildIsPartOfTheDistribution(t *testing.T) {
	full, lean := readManifest(t, "builder-config.yaml"), readManifest(t, "builder-lean.yaml")
	for _, key := range []string{"name", "description", "version", "build_tags"} {
		assert.Equal(t, full.Dist[key], lean.Dist[key], key)
	}
	assert.NotEqual(t, full.Dist["output_path"], lean.Dist["output_path"])
	assert.Subset(t, full.Receivers, lean.Receivers)
	assert.Subset(t, full.Processors, lean.Processors)
	assert.Subset(t, full.Exporters, lean.Exporters)
	assert.Subset(t, full.Connectors, lean.Connectors)
	assert.Subset(t, full.Extensions, lean.Extensions)
	assert.Equal(t, full.Providers, lean.Providers)
	assert.Equal(t, full.Replaces, lean.Replaces)
}
