// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
	"github.com/wirespan/wirespan/internal/testkit/markdown"
)

// changesCluster matches the commands of pages that install something, whole ones.
var changesCluster = regexp.MustCompile(`^(helm install|kubectl (apply|label)) [^…]*$`)

// testDocumented runs the commands by which pages install Wirespan, as they stand: each
// page's in its order, in a cluster that has no Wirespan in it.
func testDocumented(t *testing.T, s *scene) {
	_, err := s.TryKubectl(chart(t, agentValues), "delete", "--ignore-not-found", "--wait", "-f", "-")
	require.NoError(t, err)
	s.Import(cluster.Image{
		Name: "ghcr.io/wirespan/wirespan:0.1.0", Files: map[string]string{"wirespan": testkit.Wirespan(t)}, Entrypoint: []string{"/wirespan"},
	})
	for _, page := range []string{"README.md", "docs/kubernetes.md", "deploy/helm/wirespan/README.md"} {
		t.Run(page, func(t *testing.T) {
			s.Use(t)
			text, err := os.ReadFile(testkit.Root(page))
			require.NoError(t, err)
			ran := map[string]bool{}
			for _, code := range markdown.Find(page, string(text)) {
				if code.Fenced && code.Language != "sh" {
					continue
				}
				for _, line := range code.Commands() {
					if changesCluster.MatchString(line) && !strings.HasSuffix(line, "kubectl apply -k") && !ran[line] {
						ran[line] = true
						s.shell(t, line)
						s.installed(t, line)
					}
				}
			}
			assert.NotEmpty(t, ran)
		})
	}
}

// shell runs a line in the repository's root, with helm and kubectl for this cluster.
func (s *scene) shell(t *testing.T, line string) string {
	t.Helper()
	bin := t.TempDir()
	helm := strings.TrimSpace(goTool(t, "-n", "helm"))
	for name, command := range map[string]string{"helm": helm, "kubectl": cluster.Kubernetes(t) + " kubectl"} {
		script := "#!/bin/sh\nexec " + command + " \"$@\"\n"
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755))
	}
	return testkit.Run(t, testkit.Program{
		Path: "bash", Args: []string{"-euc", line}, Dir: testkit.Root(),
		Env: []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "KUBECONFIG=" + s.Kubeconfig, "HOME=" + s.Dir},
	})
}

// installed waits for the agents that a command has installed, and removes them again,
// but not their namespace. Without an endpoint they print calls, a line for each.
func (s *scene) installed(t *testing.T, line string) {
	t.Helper()
	if folder, ok := strings.CutPrefix(line, "kubectl apply -k "); ok {
		s.Kubectl("--namespace=wirespan", "rollout", "status", "--timeout=2m", "daemonset/wirespan-agent")
		s.Kubectl("delete", "--wait", "-k", testkit.Root(folder))
		s.shell(t, "kubectl apply -f deploy/kubernetes/namespace/namespace.yaml")
	}
	if !strings.HasPrefix(line, "helm install") {
		return
	}
	into := "default"
	if m := regexp.MustCompile(` -n (\S+)`).FindStringSubmatch(line); m != nil {
		into = m[1]
	}
	s.Kubectl("--namespace="+into, "rollout", "status", "--timeout=2m", "daemonset/wirespan-agent")
	if !strings.Contains(line, "otlp.endpoint") {
		testkit.Eventually(t, "a call in the agent's log", func() bool {
			return strings.Contains(s.Kubectl("--namespace="+into, "logs", "daemonset/wirespan-agent"), "→")
		})
	}
	s.shell(t, "helm uninstall wirespan --wait -n "+into)
}
