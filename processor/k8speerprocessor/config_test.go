// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

func changed(change func(*Config)) *Config {
	c := createDefaultConfig().(*Config)
	change(c)
	return c
}

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

			ServiceNameFallback: "none", Cache: createDefaultConfig().(*Config).Cache,
		}},
		"serve": {config: changed(func(c *Config) {
			serve := defaultServer()
			serve.NetAddr.Endpoint = "0.0.0.0:4320"
			c.Cache.Serve, c.Cache.MaxKeys, c.Cache.MaxSubscriptions = configoptional.Some(serve), 100, 1000
		})},
		"serve_default": {config: changed(func(c *Config) { c.Cache.Serve = configoptional.Some(defaultServer()) })},
		"ask": {config: changed(func(c *Config) {
			ask := defaultClient()
			ask.Endpoint = "wirespan-cache:4320"
			c.Cache.Ask = configoptional.Some(ask)
		})},
		"bad_cache": {errs: []string{
			"cache: one that asks has nothing to serve", "cache::ask: endpoint is missing", "cache::max_keys: 0 is not positive",
			"cache::max_subscriptions: 0 is not positive",
		}},
		"bad_fallback": {errs: []string{`service_name_fallback: "guess" is none of process, none`}},
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
