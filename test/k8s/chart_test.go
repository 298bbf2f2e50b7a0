// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
)

// agentValues are what the test changes of the chart's defaults: where the image
// is, where calls go, and which networks are captured.
const agentValues = `
image: {repository: wirespan.test/wirespan, tag: "1", pullPolicy: Never}
otlp: {endpoint: "` + cluster.Outside + `:4317", tls: {insecure: true}}
kubernetes: {capturedNetworks: ["` + cluster.PodNetwork + `", "` + cluster.PodNetwork6 + `", "` + cluster.Node + `/32", "` + cluster.Node6 + `/128"]}
`

// chart renders the Helm chart, with the namespace that it is installed in.
func chart(t *testing.T, values string, more ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte(values), 0o644))
	args := []string{"template", "wirespan", "deploy/helm/wirespan", "--namespace=wirespan", "--kube-version=v1.34.4", "--values=" + file}
	return namespace + tool(t, "helm", append(args, more...)...)
}

const namespace = `
apiVersion: v1
kind: Namespace
metadata:
  name: wirespan
---
`

// tool runs one of the tools that render what is in deploy/.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	return goTool(t, append([]string{name}, args...)...)
}

// goTool is `go tool` with the tools for what is in deploy/.
func goTool(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"tool", "-modfile=internal/tools/deploy/go.mod"}, args...)...)
	cmd.Dir = testkit.Root()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &said)
	return string(out)
}
