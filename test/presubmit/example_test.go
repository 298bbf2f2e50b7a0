// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The recording that the README begins with shows what a newcomer should see.
func TestExampleCanBeReplayed(t *testing.T) {
	out := string(run(t, []string{"WIRESPAN_PCAP=examples/shop.pcap"}, binary(t), "--config", "distributions/wirespan/config-replay.yaml"))
	assert.Equal(t, 3, strings.Count(out, "API: POST /api/v1/checkout\n"), "orders")
	assert.Contains(t, out, "API: GET /api/v1/orders/1042\n")
	assert.Equal(t, 2, strings.Count(out, "API: POST /v1/charges\n"), "charges")
	assert.Contains(t, out, "shop.v1.Stock/Reserve")
	assert.Contains(t, out, "40 left of tea-500", "the error of gRPC")
	assert.Contains(t, out, "A payment.example\n")
	assert.Contains(t, out, `{"order": 1042, "status": "confirmed", "charge": "ch-88"}`)
	assert.Contains(t, out, "authorization: REDACTED")
	assert.NotContains(t, out, "Bearer secret")
	assert.NotContains(t, out, "correct horse")
}
