// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// FuzzConfig reads any YAML. What is accepted can be written and read again.
func FuzzConfig(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "config.yaml"))
	require.NoError(f, err)
	for block := range strings.SplitSeq("\n"+string(text), "\nconsole") {
		_, body, _ := strings.Cut(block, ":")
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		retrieved, err := confmap.NewRetrievedFromYAML(text)
		if err != nil {
			return
		}
		conf, err := retrieved.AsConf()
		if err != nil {
			return
		}
		cfg := createDefaultConfig()
		if conf.Unmarshal(cfg) != nil || confmap.Validate(cfg) != nil {
			return
		}
		written, rewritten := confmap.New(), confmap.New()
		require.NoError(t, written.Marshal(cfg))
		again := createDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(given(written.ToStringMap())).Unmarshal(again))
		require.NoError(t, confmap.Validate(again))
		require.NoError(t, rewritten.Marshal(again))
		require.Equal(t, written.ToStringMap(), rewritten.ToStringMap())
	})
}

// FuzzRecords prints any OTLP. Nothing but text and line ends reaches the terminal,
// and of each body no more than is wanted.
func FuzzRecords(f *testing.F) {
	for _, s := range []side{clientSide, serverSide} {
		logs, traces := checkout(s)
		addRecords(f, logs, traces)
	}
	logs, traces := hostileCall("\x1b[31m\u202e\u0085\n\xff")
	addRecords(f, logs, traces)
	f.Fuzz(func(t *testing.T, logs, traces []byte, maxBody uint8) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(logs)
		if err != nil {
			return
		}
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(traces)
		if err != nil {
			return
		}
		for _, format := range []string{FormatLine, FormatDetail} {
			var out bytes.Buffer
			cfg := createDefaultConfig().(*Config)
			cfg.Format, cfg.MaxBody = format, int(maxBody)
			c := newConsole(cfg, &out)
			require.NoError(t, c.pushTraces(t.Context(), td))
			require.NoError(t, c.pushLogs(t.Context(), ld))
			require.NoError(t, c.close())
			assertHarmless(t, out.String())
		}
	})
}

func addRecords(f *testing.F, ld plog.Logs, td ptrace.Traces) {
	f.Helper()
	logs, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(f, err)
	traces, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(f, err)
	f.Add(logs, traces, uint8(100))
}

// given leaves out what is not set: to a block that is optional, null means that it
// is there.
func given(conf map[string]any) map[string]any {
	for key, value := range conf {
		switch value := value.(type) {
		case nil:
			delete(conf, key)
		case map[string]any:
			given(value)
		}
	}
	return conf
}
