// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

type dashboard struct {
	UID    string
	Panels []struct {
		Title   string
		Type    string
		Targets []struct {
			Datasource struct{ Type, UID string }
			Expr       string
			Query      string
		}
	}
}

// provisioned gives Grafana's files as the chart installs them.
func provisioned(t *testing.T) (d dashboard, sources map[string]object) {
	t.Helper()
	all := mustTemplate(t, `backend="grafana"`)
	require.NoError(t, json.Unmarshal([]byte(named(all, "ConfigMap", "wirespan-dashboard").text("data", "wirespan.json")), &d))
	var file object
	require.NoError(t, yaml.Unmarshal([]byte(named(all, "ConfigMap", "wirespan-datasources").text("data", "wirespan.yaml")), &file))
	list, _ := file.at("datasources").([]any)
	sources = map[string]object{}
	for _, s := range list {
		o, _ := s.(object)
		sources[o.text("uid")] = o
	}
	return d, sources
}

// From a span to its log records and back, by ids that exist.
func TestDataSourcesLeadToEachOther(t *testing.T) {
	_, sources := provisioned(t)
	require.Len(t, sources, 3)
	logs := sources[sources["wirespan-tempo"].text("jsonData", "tracesToLogsV2", "datasourceUid")]
	assert.Equal(t, "loki", logs.text("type"))
	back := sources[logs.text("jsonData", "derivedFields", 0, "datasourceUid")]
	assert.Equal(t, "tempo", back.text("type"))
	assert.Contains(t, sources["wirespan-tempo"].text("jsonData", "tracesToLogsV2", "query"), "$${__span.spanId}")
	assert.Equal(t, "$${__value.raw}", logs.text("jsonData", "derivedFields", 0, "url"))
}

// names collects what documentation calls attributes or metrics.
func names(t *testing.T, pattern string, pages ...string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	for _, page := range pages {
		b, err := os.ReadFile(testkit.Root(page))
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1) {
			known[m[1]] = true
		}
	}
	return known
}

// Each query asks for attributes and metrics that Wirespan, or the Collector, has.
func TestDashboardAsksForWhatIsThere(t *testing.T) {
	attributes := names(t, "`([a-z0-9_]+(?:\\.[a-z0-9_]+)+)`", "docs/telemetry.md", "processor/k8speerprocessor/README.md")
	metrics := names(t, "### (otelcol_\\w+)", "receiver/networkreceiver/documentation.md", "processor/k8speerprocessor/documentation.md")
	labels := map[string]bool{}
	for name := range attributes {
		labels[strings.ReplaceAll(name, ".", "_")] = true
	}
	// exporterhelper's, in its documentation.md
	collector := []string{
		"otelcol_exporter_enqueue_failed_spans", "otelcol_exporter_enqueue_failed_log_records",
		"otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity",
	}
	ours := regexp.MustCompile(`\b(?:wirespan|service|http|network|error|k8s|destination|source)_[a-z0-9_]+`)
	d, sources := provisioned(t)
	asked := map[string]int{}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			source := sources[q.Datasource.UID]
			if !assert.Equal(t, q.Datasource.Type, source.text("type"), p.Title) {
				continue
			}
			asked[source.text("type")]++
			switch source.text("type") {
			case "loki":
				used := ours.FindAllString(q.Expr, -1)
				assert.NotEmpty(t, used, p.Title)
				for _, label := range used {
					assert.True(t, labels[label] || label == "k8s_namespace_name", "%s: %s", p.Title, label)
				}
			case "prometheus":
				used := regexp.MustCompile(`otelcol_\w+`).FindAllString(q.Expr, -1)
				assert.NotEmpty(t, used, p.Title)
				for _, name := range used {
					assert.True(t, metrics[name] || slices.Contains(collector, name), "%s: %s", p.Title, name)
				}
			case "tempo":
				assert.Contains(t, q.Query, "resource.service.name", p.Title)
			}
		}
	}
	assert.GreaterOrEqual(t, asked["loki"], 6)
	assert.GreaterOrEqual(t, asked["prometheus"], 6)
	assert.Positive(t, asked["tempo"])
}
