// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

var update = flag.Bool("update", false, "render what is in deploy/ anew")

const header = "# Copyright The Wirespan Authors\n# SPDX-License-Identifier: Apache-2.0\n#\n# Rendered from the chart by make manifests. DO NOT EDIT.\n"

// helmOnly are lines that mean something only where Helm installs.
var helmOnly = regexp.MustCompile(`(?m)^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n`)

// Files that are rendered from the chart are what it renders to now.
func TestGoldenManifests(t *testing.T) {
	for _, r := range renderings(t) {
		out, err := template(t, "--values", r.values)
		require.NoError(t, err, r.values)
		if !strings.HasPrefix(r.file, chart) {
			out = helmOnly.ReplaceAllString(out, "")
		}
		want := header + out
		path := testkit.Root(r.file)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(string(got), want), "%s is out of date: run make manifests and commit it", r.file)
	}
}

// Each file there has values that it is rendered with.
func TestGoldenManifestsHaveValues(t *testing.T) {
	known := map[string]bool{}
	for _, r := range renderings(t) {
		known[r.file] = true
	}
	for _, file := range append(find(t, chart+"/examples/*.yaml"), find(t, "deploy/kubernetes/*/wirespan.yaml")...) {
		assert.True(t, known[file], "%s is rendered from nothing", file)
	}
}
