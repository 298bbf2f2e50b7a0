// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPorts(t *testing.T) {
	got, err := Ports{22, "443", "9000-9003", " 65534 - 65535 ", int64(1)}.list()
	require.NoError(t, err)
	assert.Equal(t, []uint16{22, 443, 9000, 9001, 9002, 9003, 65534, 65535, 1}, got)

	all, err := Ports{"1-65535"}.list()
	require.NoError(t, err)
	assert.Len(t, all, 65535)

	for _, bad := range []any{0, 65536, -1, 1.5, true, nil, "", "http", "1-", "-1", "1-2-3", "0-5", "1-65536", map[string]any{}} {
		_, err := Ports{bad}.list()
		assert.ErrorContains(t, err, "want a port between 1 and 65535 or a range such as 9000-9100", bad)
	}
	_, err = Ports{"9100-9000"}.list()
	assert.EqualError(t, err, `parse ports "9100-9000": the range ends before it begins`)
}
