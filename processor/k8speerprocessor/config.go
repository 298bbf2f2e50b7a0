// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/wirespan/wirespan/internal/semconv"
)

// Config of the processor.
type Config struct {
	// AuthType is how to authenticate to the API server: serviceAccount, kubeConfig
	// or none, as in k8s_attributes.
	AuthType string `mapstructure:"auth_type"`
	// Context of the kubeconfig file, if it is not to be the current one.
	Context string `mapstructure:"context"`

	Extract ExtractConfig `mapstructure:"extract"`
	Prefix  PrefixConfig  `mapstructure:"prefix"`
	// PeerService writes the older peer.service as well.
	PeerService bool `mapstructure:"peer_service"`
	// OTelAnnotations lets the annotations resource.opentelemetry.io/service.name and
	// service.namespace of pods name them. Set it as k8s_attributes has it.
	OTelAnnotations bool `mapstructure:"otel_annotations"`
	// Owners is how the owners of ReplicaSets and Jobs are known: by names, or by
	// watch.
	Owners string `mapstructure:"owners"`

	// ClusterDomain is the domain of the cluster's DNS.
	ClusterDomain string `mapstructure:"cluster_domain"`
	// ClusterCIDRs are networks of pods that nodes do not tell.
	ClusterCIDRs []string `mapstructure:"cluster_cidrs"`

	History  HistoryConfig  `mapstructure:"history"`
	Wait     WaitConfig     `mapstructure:"wait"`
	External ExternalConfig `mapstructure:"external"`

	// ServiceNameFallback is what stands in service.name of a resource that nobody has
	// given one: process or none.
	ServiceNameFallback string `mapstructure:"service_name_fallback"`

	Cache CacheConfig `mapstructure:"cache"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ExtractConfig says what is written about a peer.
type ExtractConfig struct {
	Metadata []string     `mapstructure:"metadata"`
	Labels   LabelsConfig `mapstructure:"labels"`
}

// LabelsConfig has the keys of labels that are written.
type LabelsConfig struct {
	Pod     []string `mapstructure:"pod"`
	Service []string `mapstructure:"service"`
	Node    []string `mapstructure:"node"`
}

// PrefixConfig has what the attributes of a peer begin with.
type PrefixConfig struct {
	Destination string `mapstructure:"destination"` // of the server, on the client's records
	Source      string `mapstructure:"source"`      // of the client, on the server's records
}

// HistoryConfig bounds what is remembered of addresses that peers have lost.
type HistoryConfig struct {
	Retention  time.Duration `mapstructure:"retention"`
	PerAddress int           `mapstructure:"per_address"`
	Max        int           `mapstructure:"max"`
}

// WaitConfig bounds how long records wait for a peer to become known.
type WaitConfig struct {
	Timeout     time.Duration `mapstructure:"timeout"`
	SyncTimeout time.Duration `mapstructure:"sync_timeout"`
}

// ExternalConfig is about peers outside of the cluster.
type ExternalConfig struct {
	// NamesFrom are attributes that may have the peer's name, the best one first.
	NamesFrom []string `mapstructure:"names_from"`
	// MaxNames bounds how many different names are given within an hour.
	MaxNames int `mapstructure:"max_names"`
}

// CacheConfig lets collectors share one watch: one of them serves, the others ask.
type CacheConfig struct {
	Serve configoptional.Optional[configgrpc.ServerConfig] `mapstructure:"serve"`
	Ask   configoptional.Optional[configgrpc.ClientConfig] `mapstructure:"ask"`
	// MaxKeys bounds the addresses, with and without ports, that a collector which asks
	// holds, and that one which serves tells each of.
	MaxKeys int `mapstructure:"max_keys"`
	// MaxSubscriptions bounds the keys that one which serves tells all of.
	MaxSubscriptions int `mapstructure:"max_subscriptions"`
}

var (
	_ confmap.Validator = (*Config)(nil)

	authTypes = []string{"serviceAccount", "kubeConfig", "none"}
	ownerWays = []string{"names", "watch"}
	fallbacks = []string{"process", "none"}
)

func createDefaultConfig() component.Config {
	return &Config{
		AuthType: "serviceAccount",
		Extract: ExtractConfig{Metadata: []string{
			"k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.node.name", "k8s.deployment.name", "k8s.statefulset.name",
			"k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name", "k8s.service.name",
		}},
		Prefix:        PrefixConfig{Destination: "destination.", Source: "source."},
		Owners:        "names",
		ClusterDomain: "cluster.local",
		History:       HistoryConfig{Retention: 15 * time.Minute, PerAddress: 8, Max: 100_000},
		Wait:          WaitConfig{Timeout: 2 * time.Second, SyncTimeout: 10 * time.Second},
		External:      ExternalConfig{NamesFrom: []string{semconv.ServerAddress, semconv.PeerDNSName}, MaxNames: 1000},

		ServiceNameFallback: "process",
		Cache: CacheConfig{
			Serve: configoptional.Default(defaultServer()), Ask: configoptional.Default(defaultClient()),
			MaxKeys: 32_768, MaxSubscriptions: 4_000_000,
		},
	}
}

const cacheEndpoint = "localhost:4320"

// keepalive is how often a side that hears nothing asks whether the other one is
// there.
const keepalive = 30 * time.Second

func defaultServer() configgrpc.ServerConfig {
	c := configgrpc.NewDefaultServerConfig()
	c.NetAddr.Endpoint = cacheEndpoint
	c.Keepalive = configoptional.Some(configgrpc.KeepaliveServerConfig{
		ServerParameters:  configoptional.Some(configgrpc.KeepaliveServerParameters{Time: keepalive, Timeout: keepalive}),
		EnforcementPolicy: configoptional.Some(configgrpc.KeepaliveEnforcementPolicy{MinTime: keepalive / 2, PermitWithoutStream: true}),
	})
	return c
}

func defaultClient() configgrpc.ClientConfig {
	c := configgrpc.NewDefaultClientConfig()
	c.Keepalive = configoptional.Some(configgrpc.KeepaliveClientConfig{Time: keepalive, Timeout: keepalive})
	return c
}

// Validate implements [confmap.Validator].
func (c *Config) Validate() error {
	return errors.Join(
		oneOf("auth_type", c.AuthType, authTypes),
		oneOf("owners", c.Owners, ownerWays),
		oneOf("service_name_fallback", c.ServiceNameFallback, fallbacks),
		c.Cache.validate(),
		c.Extract.validate(),
		c.validatePrefixes(),
		validateCIDRs(c.ClusterCIDRs),
		notNegative("history::retention", c.History.Retention),
		positive("history::per_address", c.History.PerAddress),
		notNegative("history::max", c.History.Max),
		notNegative("wait::timeout", c.Wait.Timeout),
		notNegative("wait::sync_timeout", c.Wait.SyncTimeout),
		notNegative("external::max_names", c.External.MaxNames),
	)
}

func (c *CacheConfig) validate() error {
	errs := []error{positive("cache::max_keys", c.MaxKeys), positive("cache::max_subscriptions", c.MaxSubscriptions)}
	if c.Serve.HasValue() && c.Ask.HasValue() {
		errs = append(errs, errors.New("cache: one that asks has nothing to serve"))
	}
	if c.Ask.HasValue() && c.Ask.Get().Endpoint == "" {
		errs = append(errs, errors.New("cache::ask: endpoint is missing"))
	}
	return errors.Join(errs...)
}

func (c *ExtractConfig) validate() error {
	var errs []error
	for _, key := range c.Metadata {
		errs = append(errs, oneOf("extract::metadata", key, fieldKeys[:]))
	}
	for _, key := range slices.Concat(c.Labels.Pod, c.Labels.Service, c.Labels.Node) {
		if key == "" {
			errs = append(errs, errors.New("extract::labels: a key is empty"))
		}
	}
	return errors.Join(errs...)
}

// validatePrefixes refuses such as would write the record's own identity.
func (c *Config) validatePrefixes() error {
	if c.Prefix.Destination == "" || c.Prefix.Source == "" {
		return errors.New("prefix: destination and source must not be empty: attributes without a prefix are those of the record's own end")
	}
	return nil
}

func validateCIDRs(cidrs []string) error {
	var errs []error
	for _, text := range cidrs {
		if _, err := netip.ParsePrefix(text); err != nil {
			errs = append(errs, fmt.Errorf("cluster_cidrs: %w", err))
		}
	}
	return errors.Join(errs...)
}

func oneOf(key, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is none of %s", key, value, strings.Join(allowed, ", "))
}

func notNegative[T int | time.Duration](key string, value T) error {
	if value < 0 {
		return fmt.Errorf("%s: %v is negative", key, value)
	}
	return nil
}

func positive(key string, value int) error {
	if value <= 0 {
		return fmt.Errorf("%s: %d is not positive", key, value)
	}
	return nil
}

// networks gives the networks that the configuration names.
func (c *Config) networks() []netip.Prefix {
	var ps []netip.Prefix
	for _, text := range c.ClusterCIDRs {
		if p, err := netip.ParsePrefix(text); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}
