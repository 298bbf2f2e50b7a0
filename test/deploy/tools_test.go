// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// kubeVersion is the version of Kubernetes that the chart is rendered for.
const kubeVersion = "1.34.0"

// executables are the programs of internal/tools/deploy, which the Go command
// builds when they are asked for first; or others, which HELM and KUSTOMIZE name.
var executables = map[string]func() (string, error){
	"helm":      sync.OnceValues(func() (string, error) { return executable("helm") }),
	"kustomize": sync.OnceValues(func() (string, error) { return executable("kustomize") }),
}

func executable(name string) (string, error) {
	if path := os.Getenv(strings.ToUpper(name)); path != "" {
		return path, nil
	}
	cmd := exec.Command("go", "tool", "-n", "-modfile=internal/tools/deploy/go.mod", name)
	cmd.Dir = testkit.Root()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// tool runs one of them in the repository's root. The error has what it says.
func tool(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	path, err := executables[name]()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = testkit.Root()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// wirespan is the path of the collector that make build builds.
func wirespan(t *testing.T) string {
	t.Helper()
	path := os.Getenv("WIRESPAN_BIN")
	if path == "" {
		path = testkit.Root("bin", "wirespan")
	}
	if _, err := os.Stat(path); err != nil {
		testkit.Lacking(t, "%s, which make build builds", path)
	}
	return path
}
