// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"go.opentelemetry.io/collector/confmap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
)

// ProtocolsConfig has a block for each protocol of the registry, by its name.
type ProtocolsConfig map[string]*ProtocolConfig

// ProtocolConfig bounds one protocol's conversations and payloads.
type ProtocolConfig struct {
	// Enabled looks for the protocol at all.
	Enabled bool `mapstructure:"enabled"`

	MaxHeaderBytes  ByteSize      `mapstructure:"max_header_bytes"`
	MaxBodyBytes    ByteSize      `mapstructure:"max_body_bytes"`
	MaxOutstanding  int           `mapstructure:"max_outstanding"`
	ResponseTimeout time.Duration `mapstructure:"response_timeout"`
	// Payload is for this protocol instead of the general block; what it leaves
	// out is as there. Nil: all of it.
	Payload *PayloadConfig `mapstructure:"payload"`

	// settings are what only this protocol has (dissect.Info.Settings); nil for nothing.
	settings any
	// carried is set for what HTTP carries: limits and payload are HTTP's.
	carried bool
}

func defaultProtocols() ProtocolsConfig {
	protocols := ProtocolsConfig{}
	for _, info := range registry.Protocols() {
		l := info.Limits
		p := &ProtocolConfig{
			Enabled:         true,
			MaxHeaderBytes:  ByteSize(l.HeaderBytes),
			MaxBodyBytes:    ByteSize(l.BodyBytes),
			MaxOutstanding:  l.Outstanding,
			ResponseTimeout: time.Duration(l.Age),
			carried:         l == dissect.Limits{},
		}
		if info.Settings != nil {
			p.settings = info.Settings()
		}
		protocols[info.Name] = p
	}
	return protocols
}

var (
	_ confmap.Unmarshaler = (*ProtocolsConfig)(nil)
	_ confmap.Unmarshaler = (*ProtocolConfig)(nil)
	_ confmap.Marshaler   = ProtocolConfig{}
	_ confmap.Validator   = (*ProtocolConfig)(nil)
)

// Unmarshal implements [confmap.Unmarshaler]: only names of the registry are known.
func (c *ProtocolsConfig) Unmarshal(conf *confmap.Conf) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(conf.ToStringMap())) {
		p, ok := (*c)[name]
		if !ok {
			errs = append(errs, unknownName("protocol", name, slices.Collect(maps.Keys(*c))))
			continue
		}
		block, err := conf.Sub(name)
		if err == nil {
			err = p.Unmarshal(block)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Unmarshal implements [confmap.Unmarshaler]: a key is one of all protocols, or of this
// one.
func (c *ProtocolConfig) Unmarshal(conf *confmap.Conf) error {
	common, own := map[string]any{}, map[string]any{}
	known, ownKeys, err := c.keys()
	if err != nil {
		return err
	}
	for key, value := range conf.ToStringMap() {
		switch {
		case slices.Contains(known, key):
			common[key] = value
		case slices.Contains(ownKeys, key):
			own[key] = value
		default:
			return unknownName("key", key, slices.Concat(known, ownKeys))
		}
	}
	type plain ProtocolConfig // without this method
	if err := confmap.NewFromStringMap(common).Unmarshal((*plain)(c)); err != nil {
		return err
	}
	if c.settings == nil {
		return nil
	}
	return confmap.NewFromStringMap(own).Unmarshal(c.settings)
}

// Marshal implements [confmap.Marshaler]: it writes what Unmarshal reads.
func (c ProtocolConfig) Marshal(conf *confmap.Conf) error {
	type plain ProtocolConfig // without this method
	all := confmap.New()
	if err := all.Marshal(plain(c)); err != nil {
		return err
	}
	known, _, err := c.keys()
	if err != nil {
		return err
	}
	block := all.ToStringMap()
	maps.DeleteFunc(block, func(key string, _ any) bool { return !slices.Contains(known, key) })
	if err := conf.Merge(confmap.NewFromStringMap(block)); err != nil {
		return err
	}
	if c.settings == nil {
		return nil
	}
	return conf.Marshal(c.settings)
}

// keys are the names of what all protocols have, and of what only this one has.
func (c *ProtocolConfig) keys() (common, own []string, err error) {
	common = []string{"enabled"}
	if !c.carried {
		common = append(common, "max_header_bytes", "max_body_bytes", "max_outstanding", "response_timeout", "payload")
	}
	if c.settings == nil {
		return common, nil, nil
	}
	all := confmap.New()
	if err := all.Marshal(c.settings); err != nil {
		return nil, nil, fmt.Errorf("list settings: %w", err)
	}
	return common, slices.Collect(maps.Keys(all.ToStringMap())), nil
}

// unknownName is the error for a name that is none of those known.
func unknownName(what, name string, known []string) error {
	slices.Sort(known)
	nearest := slices.MinFunc(known, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
	return fmt.Errorf("unknown %s %q: did you mean %q? known: %s", what, name, nearest, strings.Join(known, ", "))
}

// Validate implements [confmap.Validator].
func (c *ProtocolConfig) Validate() error {
	if c.carried {
		return nil
	}
	if c.MaxHeaderBytes < 1 || c.MaxBodyBytes < 0 || c.MaxOutstanding < 1 || c.ResponseTimeout <= 0 {
		return errors.New("max_header_bytes, max_outstanding and response_timeout must be positive, max_body_bytes not negative")
	}
	return nil
}

func (c *ProtocolConfig) limits() dissect.Limits {
	return dissect.Limits{
		HeaderBytes: int(c.MaxHeaderBytes),
		BodyBytes:   int(c.MaxBodyBytes),
		Outstanding: c.MaxOutstanding,
		Age:         c.ResponseTimeout.Nanoseconds(),
	}
}

// registryOptions are what the dissectors of one receiver are made with.
func (c ProtocolsConfig) registryOptions() registry.Options {
	o := registry.Options{Settings: map[string]any{}, Disabled: map[string]bool{}}
	for name, p := range c {
		if p.settings != nil {
			o.Settings[name] = p.settings
		}
		if !p.Enabled {
			o.Disabled[name] = true
		}
	}
	return o
}
