// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// kubeVersion is what the chart is rendered for, where there is no cluster to ask.
const kubeVersion = "--kube-version=1.34.0"

func helm(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "go", append([]string{"tool", "-modfile=internal/tools/deploy/go.mod", "helm"}, args...)...)
}

var (
	installs = regexp.MustCompile(`^helm (install|upgrade|template) `)
	variable = regexp.MustCompile(`\$\{env:([A-Z0-9_]+)`)
	gates    = regexp.MustCompile(`--feature-gates=[\w.,]+`)
)

// renders renders the chart as a command would install it, and has the collector
// validate each configuration in it.
func renders(t *testing.T, command string) {
	t.Helper()
	tool := strings.TrimSpace(run(t, "go", "tool", "-modfile=internal/tools/deploy/go.mod", "-n", "helm"))
	out := run(t, "bash", "-euc", installs.ReplaceAllLiteralString(command, tool+" template "+kubeVersion+" "))
	configurations := 0
	for _, object := range objects(t, out) {
		data, _ := object["data"].(testkit.M)
		text, _ := data["config.yaml"].(string)
		if object["kind"] != "ConfigMap" || text == "" {
			continue
		}
		configurations++
		env := []string{}
		for _, m := range variable.FindAllStringSubmatch(text, -1) {
			env = append(env, m[1]+"=127.0.0.1")
		}
		validate(t, full(t), env, gates.FindAllString(out, 1), write(t, "config.yaml", text))
	}
	require.Positive(t, configurations, "%s\n%s", command, out)
}
