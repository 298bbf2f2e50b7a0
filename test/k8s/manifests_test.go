// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// The API server itself takes all that is in deploy/, and has nothing to warn of.
func testManifests(t *testing.T, s *scene) {
	root := testkit.Root()
	presets, err := filepath.Glob(filepath.Join(root, "deploy", "helm", "wirespan", "presets", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, presets)
	for _, preset := range presets {
		values, err := os.ReadFile(preset)
		require.NoError(t, err)
		s.DryRun(t, filepath.Base(preset), own(chart(t, string(values))))
	}

	kustomizations, err := filepath.Glob(filepath.Join(root, "deploy", "kubernetes", "agent*"))
	require.NoError(t, err)
	require.NotEmpty(t, kustomizations)
	for _, folder := range kustomizations {
		s.DryRun(t, filepath.Base(folder), s.Kubectl("kustomize", folder))
	}

	s.Apply(operatorCRD(t))
	testkit.EventuallyIn(t, becoming, "the operator's resources", func() bool {
		_, err := s.TryKubectl("", "get", "opentelemetrycollectors.opentelemetry.io", "--namespace=wirespan")
		return err == nil
	})
	resources, err := filepath.Glob(filepath.Join(root, "deploy", "operator", "*.yaml"))
	require.NoError(t, err)
	checked := 0
	for _, path := range resources {
		if strings.HasSuffix(path, ".values.yaml") {
			continue
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		s.DryRun(t, filepath.Base(path), namespace+string(text))
		checked++
	}
	require.NotZero(t, checked)
}

// foreign are kinds of objects that only other platforms know.
var foreign = regexp.MustCompile(`(?m)^apiVersion: (security\.openshift\.io|monitoring\.coreos\.com)/`)

// own leaves them out.
func own(manifests string) string {
	var kept []string
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if !foreign.MatchString(document) {
			kept = append(kept, document)
		}
	}
	return strings.Join(kept, "\n---\n")
}

// operator is the module with the definition of the operator's resources.
const operator = "github.com/open-telemetry/opentelemetry-operator@v0.140.0"

// operatorCRD is that definition, without the service that converts old versions,
// which does not run here.
func operatorCRD(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", operator)
	cmd.Dir = testkit.Root()
	out, err := cmd.Output()
	require.NoError(t, err, "%s", out)
	var module struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &module))
	text, err := os.ReadFile(filepath.Join(module.Dir, "config", "crd", "bases", "opentelemetry.io_opentelemetrycollectors.yaml"))
	require.NoError(t, err)
	return string(text)
}
