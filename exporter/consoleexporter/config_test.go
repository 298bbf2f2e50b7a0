// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	file, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)

	tests := []struct {
		id      string
		want    func(*Config)
		wantErr string
	}{
		{id: "console", want: func(*Config) {}},
		{id: "console/line", want: func(c *Config) {
			c.Format, c.Color, c.Output, c.Sides = FormatLine, ColorAlways, OutputStderr, SidesServer
			c.WaitDuration, c.Headers, c.MaxBody = 0, false, 80
		}},
		{id: "console/colour", want: func(c *Config) { c.Color = ColorNever }},
		{id: "console/bad_format", wantErr: `format is "table": want one of line, detail`},
		{id: "console/bad_color", wantErr: `color is "blue": want one of auto, always, never`},
		{id: "console/bad_colour", wantErr: `color is "blue": want one of auto, always, never`},
		{id: "console/bad_wait_duration", wantErr: "wait_duration is -1s: want between 0s and 1m0s"},
		{id: "console/bad_output", wantErr: `output is "printer": want one of stdout, stderr`},
		{id: "console/bad_sides", wantErr: `sides is "left": want one of merged, both, client, server`},
		{id: "console/bad_max_body", wantErr: "max_body is -1: want 0 or more"},
	}
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			sub, err := file.Sub(tt.id)
			require.NoError(t, err)
			cfg := createDefaultConfig()
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			want := createDefaultConfig().(*Config)
			tt.want(want)
			assert.Equal(t, component.Config(want), cfg)
		})
	}
	both := confmap.NewFromStringMap(map[string]any{"color": "auto", "colour": "auto"})
	require.ErrorContains(t, both.Unmarshal(createDefaultConfig()), "color and colour are the same setting: give one of them")
	assert.Len(t, tests, len(file.ToStringMap()), "testdata/config.yaml has an example that no case reads")
}
