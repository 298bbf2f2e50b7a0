// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
)

// serviceNameKeys are attributes that name the service of a resource if nothing does,
// the best one first: the order of the conventions for Kubernetes.
var serviceNameKeys = [...]string{
	"k8s.deployment.name", "k8s.replicaset.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name", "k8s.pod.name",
}

// nameService gives a resource of Wirespan's receiver a service.name if it has none: the
// receiver leaves that out in containers, for k8s_attributes to fill in. If that has
// not, it is what Kubernetes has told apart from the name, else what the receiver
// takes outside of containers: the process's name.
func nameService(r pcommon.Resource) {
	m := r.Attributes()
	if text(m, semconv.TelemetryDistroName) != distroName || text(m, semconv.ServiceName) != "" {
		return
	}
	for _, key := range serviceNameKeys {
		if name := text(m, key); name != "" {
			m.PutStr(semconv.ServiceName, name)
			return
		}
	}
	if name := processName(m); name != "" {
		m.PutStr(semconv.ServiceName, name)
	}
}

// processName is what people call a process: the kernel's name of it, unless the
// runtime has named the main thread (docs/telemetry.md).
func processName(m pcommon.Map) string {
	name, executable := text(m, semconv.ProcessName), text(m, semconv.ProcessExecutableName)
	if executable != "" && (name == "" || strings.HasSuffix(name, "MainThread")) {
		return executable
	}
	return name
}

func text(m pcommon.Map, key string) string {
	if v, ok := m.Get(key); ok {
		return v.Str()
	}
	return ""
}
