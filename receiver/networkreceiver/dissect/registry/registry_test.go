// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
)

// What every dissector says of itself has to be usable by the engine.
func TestInfo(t *testing.T) {
	type name struct {
		name      string
		transport capture.Transport
	}
	names := map[name]bool{}
	assert.LessOrEqual(t, len(registry.All()), 64)
	for _, d := range registry.All() {
		info := d.Info()
		t.Run(info.Name, func(t *testing.T) {
			assert.NotEmpty(t, info.Name)
			own := name{info.Name, info.Transport}
			assert.False(t, names[own], "the name is taken")
			names[own] = true
			assert.Contains(t, []capture.Transport{capture.TCP, capture.UDP}, info.Transport)
			assert.Positive(t, info.ProbeBytes)
			assert.LessOrEqual(t, info.ProbeBytes, info.Limits.HeaderBytes)
			assert.Positive(t, info.Limits.BodyBytes)
			assert.Positive(t, info.Limits.Outstanding)
			assert.Positive(t, info.Limits.Age)
		})
	}
}

// FuzzAll plays arbitrary connections to all dissectors at once.
func FuzzAll(f *testing.F) { dissecttest.Fuzz(f, registry.All()...) }
