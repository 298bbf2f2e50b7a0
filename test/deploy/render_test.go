// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/internal/testkit"
)

const chart = "deploy/helm/wirespan"

// rendering is a file that is rendered from the chart, and the values for it.
type rendering struct{ values, file string }

// renderings lists them all: an example for each preset, the manifests for
// kustomize and those for the operator.
func renderings(t *testing.T) []rendering {
	t.Helper()
	var all []rendering
	for _, values := range find(t, chart+"/presets/*.yaml") {
		all = append(all, rendering{values, chart + "/examples/" + filepath.Base(values)})
	}
	for _, values := range find(t, "deploy/kubernetes/*/values.yaml") {
		all = append(all, rendering{values, filepath.Dir(values) + "/wirespan.yaml"})
	}
	for _, values := range find(t, "deploy/operator/*.values.yaml") {
		all = append(all, rendering{values, strings.Replace(values, ".values.yaml", ".yaml", 1)})
	}
	require.GreaterOrEqual(t, len(all), 12)
	return all
}

// find lists files of the repository.
func find(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(testkit.Root(pattern))
	require.NoError(t, err)
	require.NotEmpty(t, found, pattern)
	for i := range found {
		found[i], err = filepath.Rel(testkit.Root(), found[i])
		require.NoError(t, err)
	}
	return found
}

// rendered remembers what the chart rendered to, by the arguments. Tests run one
// after the other.
var rendered = map[string]string{}

// template renders the chart for the namespace wirespan.
func template(t *testing.T, args ...string) (string, error) {
	t.Helper()
	key := strings.Join(args, "\x00")
	if out, ok := rendered[key]; ok {
		return out, nil
	}
	out, err := tool(t, "helm", append([]string{
		"template", "wirespan", chart, "--namespace", "wirespan", "--kube-version", kubeVersion,
	}, args...)...)
	if err == nil {
		rendered[key] = out
	}
	return out, err
}

// mustTemplate is template with settings of the form that helm's --set takes.
func mustTemplate(t *testing.T, sets ...string) []object {
	t.Helper()
	out, err := template(t, flags(sets)...)
	require.NoError(t, err)
	return objects(t, out)
}

func flags(sets []string) []string {
	var args []string
	for _, s := range sets {
		args = append(args, "--set-json", s)
	}
	return args
}

// object is a Kubernetes object.
type object map[string]any

// objects reads a stream of YAML documents.
func objects(t *testing.T, text string) []object {
	t.Helper()
	var all []object
	for documents := yaml.NewDecoder(strings.NewReader(text)); ; {
		var o object
		err := documents.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if o != nil {
			all = append(all, o)
		}
	}
}

// at follows keys into an object: strings into maps, numbers into lists. It is
// nil where there is nothing.
func (o object) at(keys ...any) any {
	var v any = map[string]any(o)
	for _, key := range keys {
		switch node := v.(type) {
		case map[string]any:
			name, _ := key.(string)
			v = node[name]
		case object:
			name, _ := key.(string)
			v = node[name]
		case []any:
			i, ok := key.(int)
			if !ok || i >= len(node) {
				return nil
			}
			v = node[i]
		default:
			return nil
		}
	}
	return v
}

func (o object) text(keys ...any) string {
	s, _ := o.at(keys...).(string)
	return s
}

func (o object) kind() string { return o.text("kind") }
func (o object) name() string { return o.text("metadata", "name") }

// named gives the object of a kind and name; nil if there is none.
func named(all []object, kind, name string) object {
	i := slices.IndexFunc(all, func(o object) bool { return o.kind() == kind && o.name() == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

func TestEveryObjectIsNamedAndLabelled(t *testing.T) {
	for _, r := range renderings(t) {
		out, err := template(t, "--values", r.values)
		require.NoError(t, err, r.values)
		seen := map[string]bool{}
		for _, o := range objects(t, out) {
			id := o.text("apiVersion") + " " + o.kind() + " " + o.name()
			assert.NotEmpty(t, o.text("apiVersion"), "%s: %s", r.values, id)
			assert.Equal(t, "wirespan", o.text("metadata", "labels", "app.kubernetes.io/instance"), "%s: %s", r.values, id)
			assert.False(t, seen[id], "%s: %s twice", r.values, id)
			seen[id] = true
			cluster := strings.HasPrefix(o.kind(), "ClusterRole") || o.kind() == "SecurityContextConstraints"
			assert.Equal(t, !cluster, o.text("metadata", "namespace") == "wirespan", "%s: %s", r.values, id)
		}
	}
}

func TestChartPassesTheLinter(t *testing.T) {
	for _, r := range renderings(t) {
		_, err := tool(t, "helm", "lint", "--strict", "--kube-version", kubeVersion, "--values", r.values, chart)
		assert.NoError(t, err)
	}
}
