// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package decrypt

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeys(t *testing.T) {
	random, value := strings.Repeat("ab", 32), strings.Repeat("01", 48)
	var k Keys
	before := k.Age()
	require.NoError(t, k.Read(strings.NewReader(strings.Join([]string{
		"# a comment", "",
		"CLIENT_RANDOM " + random + " " + value,
		"SERVER_TRAFFIC_SECRET_0 " + strings.ToUpper(random) + " " + value + " ",
		"EXPORTER_SECRET " + random + " " + value,
		"CLIENT_RANDOM " + random + " nonsense",
		"CLIENT_RANDOM " + random[2:] + " " + value,
		"CLIENT_TRAFFIC_SECRET_0 " + random + " " + strings.Repeat("01", maxSecret+1),
	}, "\r\n"))))
	assert.NotEqual(t, before, k.Age())
	var id [32]byte
	for i := range id {
		id[i] = 0xab
	}
	keys, ok := k.of(id)
	require.True(t, ok)
	assert.Len(t, keys[masterSecret], 48)
	assert.Len(t, keys[serverTraffic], 48)
	assert.Nil(t, keys[clientTraffic])
	id[0] = 0
	_, ok = k.of(id)
	assert.False(t, ok)
	require.Error(t, k.Read(strings.NewReader("what is this\nno key log\n")))
	require.Error(t, k.Read(strings.NewReader(strings.Repeat("x", maxLine+1))))
	var none *Keys
	_, ok = none.of(id)
	assert.False(t, ok)
	assert.Zero(t, none.Age())
}
