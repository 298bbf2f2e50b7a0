// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/markdown"
)

// notConfigurations are blocks of YAML that nothing reads: by the page, why.
var notConfigurations = map[string]string{
	"test/k8s/README.md": "shows the records of a call",
}

// Each YAML block is taken by the program that it is for.
func TestConfigurations(t *testing.T) {
	tried := 0
	for _, code := range pages(t) {
		if code.Language != "yaml" || notConfigurations[code.Page] != "" {
			continue
		}
		tried++
		t.Run(code.String(), func(t *testing.T) {
			var block testkit.M
			require.NoError(t, yaml.Unmarshal([]byte(code.Text), &block))
			switch {
			case block["apiVersion"] != nil:
				checkObject(t, block)
			case strings.Contains(code.Text, "gomod:"):
				checkManifest(t, block)
			case isCollector(block):
				checkCollector(t, code, block)
			case block["agent"] != nil || block["otlp"] != nil || block["kubernetes"] != nil:
				renders(t, "helm template wirespan deploy/helm/wirespan --set otlp.endpoint=collector:4317 --values="+write(t, "values.yaml", code.Text))
			default:
				assert.Fail(t, "a block of a kind that no test knows", code.Text)
			}
		})
	}
	assert.Greater(t, tried, 10)
}

// The lean program takes every configuration of the distribution but the one for a
// backend that it has no exporter for.
func TestLeanProgramTakesTheConfigurations(t *testing.T) {
	files, err := filepath.Glob(testkit.Root("distributions", "wirespan", "config*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if filepath.Base(file) != "config-clickhouse.yaml" {
			validate(t, lean(t), nil, nil, file)
		}
	}
}

var kinds = []string{"receivers", "processors", "exporters", "connectors", "extensions", "service"}

// isCollector reports whether a block is the configuration of a collector, or a part.
func isCollector(block testkit.M) bool {
	for key := range block {
		if !slices.Contains(kinds, key) {
			return false
		}
	}
	return len(block) > 0
}

// pod is what a pod has in its environment, in the chart and in what its users write.
var pod = []string{"K8S_NODE_NAME=node-1", "POD_IP=127.0.0.1"}

// checkCollector validates a configuration. A part becomes a whole one by what it
// lacks: the receiver network, the exporter debug, and pipelines that have it all.
// What is in README.md is for the lean program, too.
func checkCollector(t *testing.T, code markdown.Code, block testkit.M) {
	t.Helper()
	files := []string{write(t, "block.yaml", code.Text)}
	if block["receivers"] == nil || block["service"] == nil {
		text, err := yaml.Marshal(around(block))
		require.NoError(t, err)
		files = []string{write(t, "around.yaml", string(text)), files[0]}
	}
	validate(t, full(t), pod, nil, files...)
	if code.Page == "README.md" {
		validate(t, lean(t), nil, nil, files...)
	}
}

// around is the configuration that a part is merged into.
func around(block testkit.M) testkit.M {
	whole := testkit.M{}
	if block["receivers"] == nil {
		whole["receivers"] = testkit.M{"network": nil}
	}
	if block["exporters"] == nil {
		whole["exporters"] = testkit.M{"debug": nil}
	}
	pipelines := testkit.M{}
	for _, signal := range []string{"traces", "logs"} {
		pipelines[signal] = testkit.M{
			"receivers": named(block, "receivers", "network"), "processors": named(block, "processors"), "exporters": named(block, "exporters", "debug"),
		}
	}
	whole["service"] = testkit.M{"extensions": named(block, "extensions"), "pipelines": pipelines}
	return whole
}

// named returns the components of a kind, or those that there are if it has none.
func named(block testkit.M, kind string, otherwise ...string) []string {
	components, _ := block[kind].(testkit.M)
	if len(components) == 0 {
		return append([]string{}, otherwise...)
	}
	return slices.Sorted(maps.Keys(components))
}

// checkManifest compares a part of a builder manifest with that of the distribution,
// which make build builds.
func checkManifest(t *testing.T, block testkit.M) {
	t.Helper()
	var distribution testkit.M
	require.NoError(t, yaml.Unmarshal([]byte(run(t, "cat", "builder-config.yaml")), &distribution))
	for kind, modules := range block {
		assert.Subset(t, distribution[kind], modules, kind)
	}
}

// checkObject looks at an object of Kubernetes: what it says is what the chart renders
// for OpenShift, or it has no field that the API doesn't.
func checkObject(t *testing.T, block testkit.M) {
	t.Helper()
	wanted, _ := block["metadata"].(testkit.M)
	for _, object := range objects(t, helm(t, "template", "wirespan", "deploy/helm/wirespan", "--namespace=wirespan", kubeVersion,
		"--values=deploy/helm/wirespan/presets/openshift.yaml")) {
		metadata, _ := object["metadata"].(testkit.M)
		if object["kind"] != block["kind"] || metadata["name"] != wanted["name"] {
			continue
		}
		for key, value := range block {
			if key != "metadata" {
				assert.Equal(t, object[key], value, key)
			}
		}
		return
	}
	require.Equal(t, "ClusterRole", block["kind"], "no test knows this object")
	text, err := json.Marshal(block)
	require.NoError(t, err)
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	assert.NoError(t, strict.Decode(&rbacv1.ClusterRole{}))
}

// objects reads a stream of YAML documents.
func objects(t *testing.T, text string) (all []testkit.M) {
	t.Helper()
	for documents := yaml.NewDecoder(strings.NewReader(text)); ; {
		var object testkit.M
		err := documents.Decode(&object)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if object != nil {
			all = append(all, object)
		}
	}
}
