// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func TestServiceNameFallback(t *testing.T) {
	for name, c := range map[string]struct {
		resource map[string]any
		want     any
	}{
		"named by Kubernetes":  {map[string]any{"service.name": "shop", "k8s.deployment.name": "frontend"}, "shop"},
		"empty":                {map[string]any{"service.name": ""}, "nginx"},
		"deployment":           {map[string]any{"k8s.deployment.name": "frontend", "k8s.replicaset.name": "frontend-abc", "k8s.pod.name": "x"}, "frontend"},
		"stateful set":         {map[string]any{"k8s.statefulset.name": "db", "k8s.pod.name": "db-0"}, "db"},
		"cron job":             {map[string]any{"k8s.cronjob.name": "report", "k8s.job.name": "report-1"}, "report"},
		"bare pod":             {map[string]any{"k8s.pod.name": "x"}, "x"},
		"container of no pod":  {map[string]any{"container.id": containerID}, "nginx"},
		"pod that is unknown":  {map[string]any{"k8s.pod.uid": "u"}, "nginx"},
		"renamed main thread":  {map[string]any{"wirespan.process.name": "MainThread", "process.executable.name": "node"}, "node"},
		"executable only":      {map[string]any{"wirespan.process.name": "", "process.executable.name": "node"}, "node"},
		"no process":           {map[string]any{"wirespan.process.name": ""}, nil},
		"another receiver's":   {map[string]any{"telemetry.distro.name": "other", "k8s.pod.name": "x"}, nil},
		"another one, unnamed": {map[string]any{"telemetry.distro.name": ""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := pcommon.NewResource()
			resource := map[string]any{"telemetry.distro.name": "wirespan", "wirespan.process.name": "nginx"}
			maps.Copy(resource, c.resource)
			require.NoError(t, r.Attributes().FromRaw(resource))
			nameService(r)
			assert.Equal(t, c.want, r.Attributes().AsRaw()["service.name"])
		})
	}
}

// All signals get it, also resources without a record that has a peer.
func TestServiceNameFallbackOfSignals(t *testing.T) {
	for setting, want := range map[string]any{"process": "nginx", "none": nil} {
		b := start(t, connectTo(shop(t)), func(c *Config) { c.ServiceNameFallback = setting })
		fill := func(r pcommon.Resource) pcommon.Map {
			r.Attributes().PutStr("telemetry.distro.name", "wirespan")
			r.Attributes().PutStr("wirespan.process.name", "nginx")
			return r.Attributes()
		}
		td, ld, md := ptrace.NewTraces(), plog.NewLogs(), pmetric.NewMetrics()
		all := []pcommon.Map{
			fill(td.ResourceSpans().AppendEmpty().Resource()), fill(ld.ResourceLogs().AppendEmpty().Resource()),
			fill(md.ResourceMetrics().AppendEmpty().Resource()),
		}
		require.NoError(t, b.traces.ConsumeTraces(t.Context(), td))
		require.NoError(t, b.logs.ConsumeLogs(t.Context(), ld))
		require.NoError(t, b.metrics.ConsumeMetrics(t.Context(), md))
		for _, m := range all {
			assert.Equal(t, want, m.AsRaw()["service.name"])
		}
	}
}
