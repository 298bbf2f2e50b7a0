// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden compares one call's span and log record, as OTLP/JSON.
func TestGolden(t *testing.T) {
	var rec recorder
	b := New(testSettings(), nil, &rec, &Stats{})
	b.Exchange(get())
	b.Flush()
	spans, err := (&ptrace.JSONMarshaler{}).MarshalTraces(rec.traces[0])
	require.NoError(t, err)
	logs, err := (&plog.JSONMarshaler{}).MarshalLogs(rec.logs[0])
	require.NoError(t, err)
	golden(t, "span.json", spans)
	golden(t, "log.json", logs)
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var pretty bytes.Buffer
	require.NoError(t, json.Indent(&pretty, got, "", "  "))
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, pretty.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), pretty.String())
}
