// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

const composeFolder = "deploy/compose"

// lintCompose runs test/deploy/compose, and returns what it finds wrong.
func lintCompose(t *testing.T, files ...string) (string, error) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "compose")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = testkit.Root("test", "deploy", "compose")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.CommandContext(t.Context(), program, files...).CombinedOutput()
	return string(out), err
}

func TestComposeFiles(t *testing.T) {
	files, err := filepath.Glob(testkit.Root(composeFolder, "*", "compose.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out, err := lintCompose(t, files...)
	assert.NoError(t, err, out)
}

func TestComposeLintFindsMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
name: mistakes
services:
  a: {image: "a:latest", privileged: true, ports: ["80:80"], volumes: ["./missing:/missing"]}
`), 0o600))
	out, err := lintCompose(t, file)
	require.Error(t, err)
	for _, problem := range []string{"no version", "privileged", "other machines", "no such file", "writable"} {
		assert.Contains(t, out, problem)
	}
	require.NoError(t, os.WriteFile(file, []byte("name: typo\nservices:\n  a: {imagee: a}\n"), 0o600))
	out, err = lintCompose(t, file)
	require.Error(t, err)
	assert.Contains(t, out, "imagee")
}

// The image has the configuration that a demonstration starts with.
func TestComposeConfigurationsAreInTheImage(t *testing.T) {
	dockerfile, err := os.ReadFile(testkit.Root("distributions", "wirespan", "Dockerfile"))
	require.NoError(t, err)
	for _, backend := range []string{"jaeger", "grafana"} {
		text, err := os.ReadFile(testkit.Root(composeFolder, backend, "compose.yaml"))
		require.NoError(t, err)
		name := "config-" + backend + ".yaml"
		assert.Contains(t, string(text), "/etc/wirespan/"+name)
		assert.Contains(t, string(dockerfile), "distributions/wirespan/"+name)
	}
}

// Grafana has the data sources of the chart for spans and payloads.
func TestGoldenManifestsOfGrafana(t *testing.T) {
	rendered := named(mustTemplate(t, `backend="grafana"`, `grafana.tempo.url="http://tempo:3200"`, `grafana.loki.url="http://loki:3100"`),
		"ConfigMap", "wirespan-datasources").text("data", "wirespan.yaml")
	want, _, ok := strings.Cut(rendered, "  - name: Wirespan collectors")
	require.True(t, ok)
	want = "# Rendered from the chart by make manifests.\n" + want
	file := testkit.Root(composeFolder, "grafana", "datasources.yaml")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "make manifests writes %s anew", file)
}

// The ready configurations reach their backends, with a capture file in the place of
// live traffic.
func TestReadyConfigurationsReachTheirBackend(t *testing.T) {
	for name, want := range map[string]struct{ spans, logs int64 }{
		"config-jaeger.yaml":  {spans: calls},
		"config-grafana.yaml": {spans: calls, logs: calls},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBackend(t)
			text, err := os.ReadFile(testkit.Root("distributions", "wirespan", name))
			require.NoError(t, err)
			var parsed object
			require.NoError(t, yaml.Unmarshal(text, &parsed))
			network, _ := parsed.at("receivers", "network").(object)
			network["capture"] = object{"pcap": object{
				"files": []string{testkit.Root("receiver/networkreceiver/dissect/http/testdata/nginx.pcap")}, "on_end": "exit",
			}}
			service, _ := parsed.at("service").(object)
			service["telemetry"] = object{"metrics": object{"level": "none"}}
			changed, err := yaml.Marshal(parsed)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(file, changed, 0o600))

			cmd := exec.CommandContext(t.Context(), wirespan(t), "--config", file)
			cmd.Env = append(os.Environ(), "JAEGER_ENDPOINT="+b.grpc, "TEMPO_ENDPOINT="+b.grpc, "LOKI_ENDPOINT="+b.http)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Equal(t, want.spans, b.spans.Load(), "spans\n%s", out)
			assert.Equal(t, want.logs, b.logs.Load(), "log records")
		})
	}
}
