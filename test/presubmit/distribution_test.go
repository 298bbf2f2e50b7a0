// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

const (
	core    = "go.opentelemetry.io/collector/"
	contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/"
)

// components are those of the distribution: the package of each, by its type.
var components = map[string]map[string]string{
	"receivers": {
		"network": module + "/receiver/networkreceiver",
		"otlp":    core + "receiver/otlpreceiver",
		"kafka":   contrib + "receiver/kafkareceiver",
	},
	"processors": {
		"k8s_peer":           module + "/processor/k8speerprocessor",
		"memory_limiter":     core + "processor/memorylimiterprocessor",
		"batch":              core + "processor/batchprocessor",
		"k8s_attributes":     contrib + "processor/k8sattributesprocessor",
		"resource_detection": contrib + "processor/resourcedetectionprocessor",
		"filter":             contrib + "processor/filterprocessor",
		"transform":          contrib + "processor/transformprocessor",
		"attributes":         contrib + "processor/attributesprocessor",
		"resource":           contrib + "processor/resourceprocessor",
		"redaction":          contrib + "processor/redactionprocessor",
		"tail_sampling":      contrib + "processor/tailsamplingprocessor",
	},
	"exporters": {
		"console":    module + "/exporter/consoleexporter",
		"otlp_grpc":  core + "exporter/otlpexporter",
		"otlp_http":  core + "exporter/otlphttpexporter",
		"debug":      core + "exporter/debugexporter",
		"file":       contrib + "exporter/fileexporter",
		"kafka":      contrib + "exporter/kafkaexporter",
		"prometheus": contrib + "exporter/prometheusexporter",
		"clickhouse": contrib + "exporter/clickhouseexporter",
	},
	"connectors": {
		"span_metrics": contrib + "connector/spanmetricsconnector",
		"count":        contrib + "connector/countconnector",
		"routing":      contrib + "connector/routingconnector",
		"forward":      core + "connector/forwardconnector",
	},
	"extensions": {
		"unimplemented_filter": module + "/extension/unimplementedfilterextension",
		"file_storage":         contrib + "extension/storage/filestorage",
		"health_check":         contrib + "extension/healthcheckextension",
		"bearertokenauth":      contrib + "extension/bearertokenauthextension", // bearer_token_auth in later versions
		"basicauth":            contrib + "extension/basicauthextension",       // basic_auth in later versions
		"zpages":               core + "extension/zpagesextension",
	},
	"providers": {
		"env":  core + "confmap/provider/envprovider",
		"file": core + "confmap/provider/fileprovider",
		"yaml": core + "confmap/provider/yamlprovider",
	},
}

func TestBuilderConfigListsTheComponents(t *testing.T) {
	var manifest map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "builder-config.yaml")), &manifest))
	for kind, want := range components {
		var entries []struct{ Gomod, Import string }
		node := manifest[kind]
		require.NoError(t, node.Decode(&entries), kind)
		var got, wanted []string
		for _, e := range entries {
			path, _, _ := strings.Cut(e.Gomod, " ")
			if e.Import != "" {
				path = e.Import
			}
			got = append(got, path)
		}
		for _, path := range want {
			wanted = append(wanted, path)
		}
		assert.ElementsMatch(t, wanted, got, kind)
	}
}

// binary is the distribution that make build made.
func binary(t *testing.T) string {
	t.Helper()
	path := testkit.Root("bin", "wirespan")
	if _, err := os.Stat(path); err != nil {
		testkit.Lacking(t, "bin/wirespan, which make build builds")
	}
	return path
}

func TestBinaryHasTheComponents(t *testing.T) {
	out := run(t, nil, binary(t), "components")
	var listed map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal(out, &listed))
	for kind, want := range components {
		var entries []struct{ Name, Scheme string }
		node := listed[kind]
		require.NoError(t, node.Decode(&entries), kind)
		var got, wanted []string
		for _, e := range entries {
			got = append(got, e.Name+e.Scheme)
		}
		for name := range want {
			wanted = append(wanted, name)
		}
		assert.ElementsMatch(t, wanted, got, kind)
	}
}

func TestConfigurationsAreValid(t *testing.T) {
	program := binary(t)
	for _, path := range files(t, ".yaml") {
		if strings.HasPrefix(path, "distributions/") {
			validate(t, program, path)
		}
	}
	validate(t, program, "distributions/wirespan/config.yaml", "distributions/wirespan/config-otlp.yaml")
}

// validate checks configuration files together, as several --config do.
func validate(t *testing.T, program string, paths ...string) {
	t.Helper()
	args := []string{"validate"}
	for _, path := range paths {
		args = append(args, "--config", path)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = testkit.Root()
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s\n%s", strings.Join(paths, ", "), out)
	assert.True(t, strings.HasPrefix(string(out), "The configuration is valid.\n  receivers   network\n"), "%s\n%s", strings.Join(paths, ", "), out)
}

// replayArgs are arguments that read a capture file and end.
func replayArgs(more ...string) []string {
	capture := testkit.Root("receiver", "networkreceiver", "dissect", "dns", "testdata", "tcp.pcap")
	return append([]string{
		"--config", "yaml:receivers: {network: {capture: {pcap: {files: [" + capture + "], on_end: exit}}}}",
		"--config", "yaml:exporters: {console: {format: line}}",
		"--config", "yaml:service: {pipelines: {logs: {receivers: [network], exporters: [console]}}}",
	}, more...)
}

// Another collector has the port where this one would serve its own metrics.
func TestTakenPortOfOwnMetrics(t *testing.T) {
	program := binary(t)
	if l, err := net.Listen("tcp", "localhost:8888"); err == nil { // else it is taken already
		t.Cleanup(func() { assert.NoError(t, l.Close()) })
	}
	out, err := exec.CommandContext(t.Context(), program, replayArgs()...).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "wirespan: localhost:8888 is taken, so this collector does not serve its own metrics.")
	assert.Contains(t, string(out), "AAAA www.shop.example NOERROR")
}

// With the configurations for a terminal nothing comes before the first call.
func TestTerminalIsQuiet(t *testing.T) {
	for _, name := range []string{"config.yaml", "config-replay.yaml"} {
		args := []string{"--config", "distributions/wirespan/" + name}
		if name == "config.yaml" {
			args = append(args, replayArgs("--config", "yaml:exporters: {console: {format: detail}}")...)
		}
		cmd := exec.CommandContext(t.Context(), binary(t), args...)
		cmd.Dir = testkit.Root()
		cmd.Env = append(os.Environ(), "WIRESPAN_PCAP=receiver/networkreceiver/dissect/dns/testdata/tcp.pcap")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, stderr.String())
		assert.Empty(t, stderr.String(), name)
		assert.True(t, strings.HasPrefix(string(out), "127.0.0.1:36819 → 127.0.0.1:5300\nAPI: A www.shop.example\n"), "%s\n%s", name, out)
	}
}

// For the exporter otlp_grpc an endpoint with http:// still means TLS, and no
// validation says so: who wants none has to say that.
func TestPlainEndpointsAreWithoutTLS(t *testing.T) {
	checked := 0
	check := func(where, text string) {
		var config struct {
			Exporters map[string]struct {
				Endpoint string
				TLS      struct{ Insecure bool } `yaml:"tls"`
			}
		}
		if yaml.Unmarshal([]byte(text), &config) != nil {
			return // another kind of file, or test/docs says so
		}
		for name, e := range config.Exporters {
			if strings.HasPrefix(name, "otlp_grpc") && !strings.HasPrefix(e.Endpoint, "https://") {
				assert.True(t, e.TLS.Insecure, "%s: exporter %s to %s needs tls::insecure", where, name, e.Endpoint)
				checked++
			}
		}
	}
	for _, path := range files(t, ".yaml") {
		if strings.HasPrefix(path, "distributions/") {
			check(path, read(t, path))
		}
	}
	for _, path := range files(t, ".md") {
		for _, block := range fenced(read(t, path), "yaml") {
			check(path, block)
		}
	}
	assert.Positive(t, checked)
}

// fenced gives the blocks of a page in one language.
func fenced(page, language string) []string {
	var blocks []string
	for {
		_, rest, ok := strings.Cut(page, "```"+language+"\n")
		if !ok {
			return blocks
		}
		block, after, _ := strings.Cut(rest, "```")
		blocks, page = append(blocks, block), after
	}
}
