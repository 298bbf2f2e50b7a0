// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

func TestConfig(t *testing.T) {
	file, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	for name, want := range map[string]struct {
		config *Config
		errs   []string
	}{
		"": {config: createDefaultConfig().(*Config)},
		"all": {config: &Config{
			AuthType: "kubeConfig", Context: "staging", PeerService: true, OTelAnnotations: true, Owners: "watch",
			ClusterDomain: "k8s.example", ClusterCIDRs: []string{"10.244.0.0/16", "fd00::/48"},
			Extract: ExtractConfig{Metadata: []string{"k8s.pod.name"}, Labels: LabelsConfig{
				Pod: []string{"app.kubernetes.io/version"}, Service: []string{"team"}, Node: []string{"topology.kubernetes.io/zone"},
			}},
			Prefix:   PrefixConfig{Destination: "k8s.dst.", Source: "k8s.src."},
			History:  HistoryConfig{Retention: time.Minute, PerAddress: 2, Max: 10},
			Wait:     WaitConfig{SyncTimeout: time.Second},
			External: ExternalConfig{NamesFrom: []string{}},
		}},
		"bad_auth":     {errs: []string{`auth_type: "password" is none of serviceAccount, kubeConfig, none`}},
		"bad_owners":   {errs: []string{`owners: "guess" is none of names, watch`}},
		"bad_metadata": {errs: []string{`extract::metadata: "k8s.pod.start_time" is none of `}},
		"bad_label":    {errs: []string{"extract::labels: a key is empty"}},
		"no_prefix":    {errs: []string{"prefix: destination and source must not be empty"}},
		"bad_cidr":     {errs: []string{"cluster_cidrs: "}},
		"bad_numbers": {errs: []string{
			"history::retention: -1s is negative", "history::per_address: 0 is not positive", "history::max: -1 is negative",
			"wait::timeout: -1s is negative", "wait::sync_timeout: -1s is negative", "external::max_names: -1 is negative",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			sub, err := file.Sub(component.NewIDWithName(metadata.Type, name).String())
			require.NoError(t, err)
			cfg := NewFactory().CreateDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if want.config != nil {
				require.NoError(t, err)
				assert.Equal(t, want.config, cfg)
				return
			}
			for _, text := range want.errs {
				assert.ErrorContains(t, err, text)
			}
		})
	}
}
