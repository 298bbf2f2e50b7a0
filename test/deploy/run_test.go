// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

// calls is how many there are in the capture file that agents replay: a span and a
// log record for each.
const calls = 9

// outside are settings for collectors that run where no cluster is.
var outside = []string{`kubernetes.attributes=false`, `kubernetes.peers="none"`, `agent.hostNetwork=false`}

// start runs a collector on a loopback address of its own, where the pod's address
// would be. An agent replays a capture file instead of watching the node.
func (c config) start(t *testing.T, ip string) *testkit.Process {
	t.Helper()
	var parsed object
	require.NoError(t, yaml.Unmarshal([]byte(c.text), &parsed))
	if network, ok := parsed.at("receivers", "network").(object); ok {
		network["capture"] = object{"pcap": object{"files": []string{testkit.Root("receiver/networkreceiver/dissect/http/testdata/nginx.pcap")}}}
	}
	text, err := yaml.Marshal(parsed)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), c.name+".yaml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return testkit.Start(t, testkit.Program{
		Path: wirespan(t), Args: append([]string{"--config", file}, c.args...),
		Env: append(c.environment(), "POD_IP="+ip), Telling: true,
	})
}

// ready waits until a collector's health is asked for with success, as the probes
// of Kubernetes do.
func ready(t *testing.T, ip string) {
	t.Helper()
	testkit.Eventually(t, "health of "+ip, func() bool {
		r, err := http.Get("http://" + ip + ":13133/")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusOK
	})
}

// loopback is an address that no other test uses.
func loopback(t *testing.T) string {
	t.Helper()
	port := testkit.FreePort(t)
	return fmt.Sprintf("127.%d.%d.1", 100+port/256%100, port%256)
}

// arrives waits for all spans and log records.
func (b *backend) arrives(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "calls at the backend", func() bool { return b.spans.Load() >= calls && b.logs.Load() >= calls })
	assert.EqualValues(t, calls, b.spans.Load(), "spans")
	assert.EqualValues(t, calls, b.logs.Load(), "log records")
}

func TestAgentsReachTheirBackend(t *testing.T) {
	for name, sets := range map[string]func(*backend) []string{
		"OTLP over gRPC": func(b *backend) []string {
			return []string{`otlp={"endpoint":"` + b.grpc + `","tls":{"insecure":true},"headers":[{"name":"Authorization","secret":{"name":"s","key":"k"}}]}`}
		},
		"OTLP over HTTP": func(b *backend) []string {
			return []string{`otlp={"protocol":"http","endpoint":"` + b.http + `","headers":[{"name":"Authorization","secret":{"name":"s","key":"k"}}]}`}
		},
		"Tempo and Loki": func(b *backend) []string {
			return []string{
				`backend="grafana"`, `grafana.loki.endpoint="` + b.http + `"`,
				`grafana.tempo={"endpoint":"` + b.grpc + `","headers":[{"name":"Authorization","secret":{"name":"s","key":"k"}}]}`,
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBackend(t)
			ip := loopback(t)
			c := configs(t, mustTemplate(t, append(sets(b), outside...)...))[0]
			c.start(t, ip)
			ready(t, ip)
			b.arrives(t)
			assert.Equal(t, "some-value", b.authorization.Load(), "the header from the Secret")
			assert.Regexp(t, ownUserAgent(t, c), b.userAgent.Load(), "filter/own knows what the collector sends")
		})
	}
}

// ownUserAgent is the pattern by which the configuration drops calls of Wirespan's own.
func ownUserAgent(t *testing.T, c config) string {
	t.Helper()
	var parsed object
	require.NoError(t, yaml.Unmarshal([]byte(c.text), &parsed))
	m := regexp.MustCompile(`IsMatch\(attributes\["user_agent\.original"\], "(.*)"\)`).FindStringSubmatch(parsed.text("processors", "filter/own", "traces", "span", 0))
	require.NotNil(t, m)
	return m[1]
}

func TestAgentsReachTheBackendByGateways(t *testing.T) {
	b := startBackend(t)
	agent, gateway := loopback(t), loopback(t)
	sets := append([]string{
		`transport="gateway"`, `otlp={"endpoint":"` + b.grpc + `","tls":{"insecure":true}}`,
		`agent.config={"exporters":{"otlp_grpc/gateway":{"endpoint":"dns:///` + gateway + `:4317"}}}`,
	}, outside...)
	both := configs(t, mustTemplate(t, sets...))
	require.Len(t, both, 2)
	both[1].start(t, gateway)
	ready(t, gateway)
	both[0].start(t, agent)
	b.arrives(t)
}

// Agents write to Kafka before there is a consumer: nothing is lost meanwhile.
func TestAgentsReachTheBackendByKafka(t *testing.T) {
	b := startBackend(t)
	port := testkit.FreePort(t)
	broker := "127.0.0.1:" + strconv.Itoa(port)
	program := filepath.Join(t.TempDir(), "kafka")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = testkit.Root("test", "deploy", "kafka")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	testkit.Start(t, testkit.Program{
		Path: program, Args: []string{strconv.Itoa(port), "some-value", "wirespan_spans", "wirespan_logs"}, Addr: broker, Telling: true,
	})

	agent, consumer := loopback(t), loopback(t)
	sets := append([]string{
		`transport="kafka"`, `kafka={"brokers":["` + broker + `"],"sasl":{"mechanism":"SCRAM-SHA-512","secretName":"kafka"}}`,
		`otlp={"endpoint":"` + b.grpc + `","tls":{"insecure":true}}`,
	}, outside...)
	both := configs(t, mustTemplate(t, sets...))
	require.Len(t, both, 2)
	run := both[0].start(t, agent)
	testkit.Eventually(t, "records to be sent to Kafka", func() bool {
		return strings.Contains(metrics(agent), "otelcol_exporter_sent_log_records") && sent(agent, "spans") && sent(agent, "log_records")
	})
	run.Stop()
	both[1].start(t, consumer)
	b.arrives(t)
}

// sent reports whether a collector has sent all records of a signal.
func sent(ip, signal string) bool {
	for line := range strings.Lines(metrics(ip)) {
		if strings.HasPrefix(line, "otelcol_exporter_sent_"+signal+"{") && strings.HasSuffix(line, fmt.Sprintf(" %d\n", calls)) {
			return true
		}
	}
	return false
}

// metrics reads what Prometheus would.
func metrics(ip string) string {
	r, err := http.Get("http://" + ip + ":8888/metrics")
	if err != nil {
		return ""
	}
	defer r.Body.Close()
	var text strings.Builder
	_ = r.Write(&text)
	return text.String()
}
