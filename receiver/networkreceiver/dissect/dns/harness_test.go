// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dns"
)

func TestGolden(t *testing.T) { dissecttest.Golden(t, dns.UDP, dns.TCP) }
func TestChop(t *testing.T)   { dissecttest.Chop(t, dns.UDP, dns.TCP) }
func TestHole(t *testing.T)   { dissecttest.Hole(t, dns.UDP, dns.TCP) }
func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, dns.UDP, dns.TCP) }

// TestOtherTraffic: what is not DNS is looked at once for each end, and then skipped.
func TestOtherTraffic(t *testing.T) {
	script := dissecttest.Load(t, "testdata/foreign.script")[0]
	result := dissecttest.Run(script, dns.UDP, dns.TCP)
	assert.Empty(t, result.Exchanges)
	assert.Equal(t, uint64(1), result.Engine.Unrecognised.Load())
	later := 0
	for _, step := range script.Steps[2:] {
		later += len(step.Data)
	}
	assert.Equal(t, uint64(later), result.Engine.SkippedBytes.Load())
}
