// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package seed_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit/seed"
)

func TestSeeds(t *testing.T) {
	for _, capture := range seed.Captures(t) {
		assert.LessOrEqual(t, len(capture), 16<<10)
	}
	for _, packet := range seed.Packets(t) {
		assert.Contains(t, []byte{4, 6}, packet[0]>>4)
	}
	assert.NotEmpty(t, seed.Datagrams(t))
	assert.NotEmpty(t, seed.Segments(t))
}

// Each conversation has the requests of one direction.
func TestConversationsHaveDirections(t *testing.T) {
	requests := 0
	for _, c := range seed.Conversations(t) {
		there, back := c.Bytes()
		if bytes.HasPrefix(there, []byte("GET /")) {
			requests++
			assert.False(t, bytes.HasPrefix(back, []byte("GET /")))
		}
	}
	assert.Positive(t, requests)
}
