// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Kustomize builds the folders, and what pods refer to is there.
func TestKustomizeBuilds(t *testing.T) {
	for _, values := range find(t, "deploy/kubernetes/*/values.yaml") {
		folder := filepath.Dir(values)
		t.Run(folder, func(t *testing.T) {
			out, err := tool(t, "kustomize", "build", folder)
			require.NoError(t, err)
			assert.NotContains(t, out, "helm.sh/")
			all := objects(t, out)
			namespace := named(all, "Namespace", "wirespan")
			require.NotNil(t, namespace)
			assert.Equal(t, "privileged", namespace.text("metadata", "labels", "pod-security.kubernetes.io/enforce"))

			endpoint := ""
			for _, o := range all {
				if o.kind() == "ConfigMap" && strings.HasPrefix(o.name(), "wirespan-endpoint-") {
					endpoint = o.name()
				}
			}
			require.NotEmpty(t, endpoint)
			kind, name := "DaemonSet", "wirespan-agent"
			if named(all, "Deployment", "wirespan-gateway") != nil {
				kind, name = "Deployment", "wirespan-gateway"
			}
			_, c := container(t, all, kind, name)
			env, _ := c.at("env").([]any)
			found := ""
			for _, v := range env {
				if o, _ := v.(object); o.text("name") == "OTEL_EXPORTER_OTLP_ENDPOINT" {
					found = o.text("valueFrom", "configMapKeyRef", "name")
				}
			}
			assert.Equal(t, endpoint, found, "the name has the hash of what is in it")
		})
	}
}

// The operator's resources have the configuration that the chart's own have.
func TestOperatorRunsTheSameConfiguration(t *testing.T) {
	own := configs(t, mustTemplate(t, `otlp.endpoint="c:4317"`, `agent.hostNetwork=false`))
	operator := configs(t, mustTemplate(t, `otlp.endpoint="c:4317"`, `agent.hostNetwork=false`, `workload="operator"`))
	require.Len(t, own, 1)
	require.Len(t, operator, 1)
	assert.YAMLEq(t, own[0].text, operator[0].text)
	assert.Equal(t, own[0].args, operator[0].args)
	assert.Equal(t, own[0].env, operator[0].env)
}
