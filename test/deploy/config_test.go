// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// config is the configuration of a collector, and the pod that it is in: a template
// of Kubernetes, or a resource of the operator.
type config struct {
	name string
	text string
	env  []any
	args []string
}

// configs finds the collectors in rendered objects.
func configs(t *testing.T, all []object) (found []config) {
	t.Helper()
	for _, o := range all {
		switch o.kind() {
		case "OpenTelemetryCollector":
			text, err := yaml.Marshal(o.at("spec", "config"))
			require.NoError(t, err)
			env, _ := o.at("spec", "env").([]any)
			c := config{name: o.name(), text: string(text), env: env}
			if gates := o.text("spec", "args", "feature-gates"); gates != "" {
				c.args = []string{"--feature-gates=" + gates}
			}
			found = append(found, c)
		case "DaemonSet", "Deployment":
			container := object{"c": o.at("spec", "template", "spec", "containers", 0)}
			env, _ := container.at("c", "env").([]any)
			c := config{name: o.name(), env: env, text: named(all, "ConfigMap", o.name()).text("data", "config.yaml")}
			require.NotEmpty(t, c.text, "%s has no configuration", o.name())
			args, _ := container.at("c", "args").([]any)
			for _, arg := range args {
				if s := fmt.Sprint(arg); !strings.HasPrefix(s, "--config=") {
					c.args = append(c.args, s)
				}
			}
			found = append(found, c)
		}
	}
	require.NotEmpty(t, found)
	return found
}

// environment gives the variables that the pod would have, with made-up values for
// those that the cluster knows.
func (c config) environment() []string {
	env := os.Environ()
	for _, v := range c.env {
		o, _ := v.(object)
		value := o.text("value")
		switch name := o.text("name"); {
		case value != "":
		case strings.HasSuffix(name, "_IP"):
			value = "127.0.0.1"
		case strings.HasSuffix(name, "_ENDPOINT"):
			value = "http://127.0.0.1:4317"
		default:
			value = "some-value"
		}
		env = append(env, o.text("name")+"="+value)
	}
	return env
}

func (c config) validate(t *testing.T) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), c.name+".yaml")
	require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
	cmd := exec.CommandContext(t.Context(), wirespan(t), append([]string{"validate", "--config", file}, c.args...)...)
	cmd.Env = c.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", c.name, err, out)
	}
	return nil
}

// variants are settings that the presets don't have.
var variants = map[string][]string{
	"no kubernetes":       {`otlp.endpoint="c:4317"`, `kubernetes.attributes=false`, `kubernetes.peers="none"`},
	"labels":              {`otlp.endpoint="c:4317"`, `kubernetes.podLabels=["app","team"]`, `kubernetes.peer={"peer_service":true}`},
	"captured networks":   {`otlp.endpoint="c:4317"`, `kubernetes.capturedNetworks=["10.0.0.0/8","fd00::/8"]`},
	"no metrics":          {`otlp.endpoint="c:4317"`, `metrics.enabled=false`},
	"no tls, own network": {`otlp.endpoint="c:4317"`, `agent.tls=false`, `agent.hostNetwork=false`, `agent.hostPID=false`},
	"control plane":       {`otlp.endpoint="c:4317"`, `agent.controlPlane=true`},
	"zstd over http":      {`otlp={"protocol":"http","endpoint":"https://c","compression":"zstd"}`},
	"kafka to console":    {`transport="kafka"`, `backend="console"`, `kafka.brokers=["k:9092"]`, `kafka.partitionByTrace=true`},
	"kafka to clickhouse": {`transport="kafka"`, `backend="clickhouse"`, `kafka.brokers=["k:9092"]`, `kafka.maxMessageBytes=8000000`},
	"gateway to jaeger":   {`transport="gateway"`, `backend="jaeger"`, `kubernetes.peers="gateway"`},
	"gateway to console":  {`transport="gateway"`, `backend="console"`},
	"cache":               {`backend="console"`, `kubernetes.peers="cache"`, `cache.secretName="c"`, `kubernetes.podLabels=["app"]`, `kubernetes.peer={"owners":"watch"}`},
	"operator to grafana": {`workload="operator"`, `transport="gateway"`, `backend="grafana"`},
	"Grafana Cloud": {
		`backend="grafana"`, `grafana.tempo={"endpoint":"tempo.example:443","tls":{"insecure":false},"headers":[{"name":"Authorization","secret":{"name":"g","key":"t"}}]}`,
		`grafana.loki={"endpoint":"https://loki.example/otlp","headers":[{"name":"Authorization","secret":{"name":"g","key":"l"}}]}`,
	},
	"own settings": {
		`backend="console"`, `agent.receiver={"payload":{"enabled":false},"memory":{"limit":"128MiB"},"capture":{"ebpf":{"exclude":{"processes":["redis-server"]}}}}`,
		`agent.config={"processors":{"filter/health":{"error_mode":"ignore","logs":{"log_record":["attributes[\"url.path\"] == \"/healthz\""]}}},` +
			`"service":{"pipelines":{"logs":{"processors":["memory_limiter","filter/health"]}}}}`,
	},
}

// The collector takes every configuration that the chart renders.
func TestConfigurationsAreValid(t *testing.T) {
	check := func(t *testing.T, all []object) {
		t.Helper()
		for _, c := range configs(t, all) {
			assert.NoError(t, c.validate(t))
		}
	}
	for _, r := range renderings(t) {
		t.Run(r.values, func(t *testing.T) {
			out, err := template(t, "--values", r.values)
			require.NoError(t, err)
			check(t, objects(t, out))
		})
	}
	for name, sets := range variants {
		t.Run(name, func(t *testing.T) { check(t, mustTemplate(t, sets...)) })
	}
}

// The test above is worth something only if a mistake in a template shows.
func TestValidationFindsMistakes(t *testing.T) {
	for _, c := range configs(t, mustTemplate(t, `backend="console"`, `agent.config={"processors":{"k8s_peer":{"hystory":{}}}}`)) {
		assert.ErrorContains(t, c.validate(t), "hystory")
	}
}

// everyConfig calls check with each configuration, parsed.
func everyConfig(t *testing.T, check func(where string, c config, parsed object)) {
	t.Helper()
	each := func(where string, all []object) {
		for _, c := range configs(t, all) {
			var parsed object
			require.NoError(t, yaml.Unmarshal([]byte(c.text), &parsed), where)
			check(where+" "+c.name, c, parsed)
		}
	}
	for _, r := range renderings(t) {
		out, err := template(t, "--values", r.values)
		require.NoError(t, err)
		each(r.values, objects(t, out))
	}
	for name, sets := range variants {
		each(name, mustTemplate(t, sets...))
	}
}

// Messages stay below what OTLP/gRPC servers take, 4 MiB, or what Kafka was said to.
func TestExportersCountInBytes(t *testing.T) {
	everyConfig(t, func(where string, _ config, parsed object) {
		exporters, _ := parsed.at("exporters").(object)
		for name := range exporters {
			if name == "console" || name == "debug" {
				continue
			}
			limit := 4 << 20
			if n, ok := parsed.at("exporters", name, "producer", "max_message_bytes").(int); ok {
				limit = n
			}
			queue, _ := parsed.at("exporters", name, "sending_queue").(object)
			assert.Equal(t, "bytes", queue.text("sizer"), "%s: %s", where, name)
			assert.Equal(t, "bytes", queue.text("batch", "sizer"), "%s: %s", where, name)
			largest, _ := queue.at("batch", "max_size").(int)
			assert.Positive(t, largest, "%s: %s", where, name)
			assert.Less(t, largest, limit, "%s: %s", where, name)
		}
	})
}

// The order of processors: the memory limiter first, this end's name before the
// other end's.
func TestOrderOfProcessors(t *testing.T) {
	order := []string{"memory_limiter", "filter/own", "k8s_attributes", "resource/node", "k8s_peer"}
	everyConfig(t, func(where string, c config, parsed object) {
		if strings.HasPrefix(where, "own settings") || c.name == "wirespan-cache" { // which nobody sends to
			return
		}
		pipelines, _ := parsed.at("service", "pipelines").(object)
		assert.NotEmpty(t, pipelines, where)
		for signal := range pipelines {
			processors, _ := parsed.at("service", "pipelines", signal, "processors").([]any)
			if assert.NotEmpty(t, processors, where) {
				assert.Equal(t, "memory_limiter", processors[0], where)
			}
			last := -1
			for _, p := range processors {
				at := indexOf(order, p)
				assert.Greater(t, at, last, "%s: %v", where, processors)
				last = at
			}
		}
	})
}

func indexOf(all []string, v any) int {
	for i, s := range all {
		if s == v {
			return i
		}
	}
	return -1
}

// Nothing listens on all addresses.
func TestListenersAreOnOneAddress(t *testing.T) {
	wild := regexp.MustCompile(`\b0\.0\.0\.0:|\[::\]|endpoint: ["']?:\d`)
	everyConfig(t, func(where string, c config, parsed object) {
		assert.Empty(t, wild.FindString(c.text), where)
		assert.Regexp(t, `^(127\.0\.0\.1|\[\$\{env:POD_IP\}\]):\d+$`, parsed.text("extensions", "health_check", "endpoint"), where)
	})
}
