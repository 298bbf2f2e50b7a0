// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package unimplementedfilterextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	tests := []struct {
		id      string
		want    time.Duration
		wantErr string
	}{
		{id: "unimplemented_filter", want: 10 * time.Minute},
		{id: "unimplemented_filter/often", want: time.Minute},
		{id: "unimplemented_filter/never", wantErr: "retry_interval is 0s: want more than 0s"},
	}
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			sub, err := file.Sub(tt.id)
			require.NoError(t, err)
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, cfg.RetryInterval)
		})
	}
	assert.Len(t, tests, len(file.ToStringMap()), "testdata/config.yaml has an example that no case reads")
}
