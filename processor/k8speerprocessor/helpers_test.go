// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// collect gives the values of a metric by their attribute, if they have one.
func collect(a metricdata.Aggregation, f func(n int64, label string)) {
	var points []metricdata.DataPoint[int64]
	switch a := a.(type) {
	case metricdata.Sum[int64]:
		points = a.DataPoints
	case metricdata.Gauge[int64]:
		points = a.DataPoints
	}
	for _, p := range points {
		label := ""
		for _, kv := range p.Attributes.ToSlice() {
			if kv.Key != "processor" {
				label = kv.Value.AsString()
			}
		}
		f(p.Value, label)
	}
}

func TestHostNames(t *testing.T) {
	for text, want := range map[string]bool{
		"api.example.com": true, "db": true, "A-b_c.": true, "": false, "10.0.0.1": false, "::1": false, "[::1]": false, "1.2": false,
		"a b": false, "host:80": false, "localhost": false, "café": false,
	} {
		assert.Equal(t, want, hostName(text), text)
	}
}

func TestServiceNames(t *testing.T) {
	for host, want := range map[string]string{
		"pay": "own/pay false", "pay.prod": "prod/pay false", "pay.prod.svc": "prod/pay true", "pay.prod.svc.cluster.local": "prod/pay true",
		"db-0.db.prod.svc.cluster.local": "prod/db true", "api.example.com": "/ false", "10-1-0-5.prod.pod.cluster.local": "/ true", "x.svc": "/ true",
	} {
		namespace, service, certain := serviceNamed(host, "cluster.local", "own")
		assert.Equal(t, want, fmt.Sprintf("%s/%s %v", namespace, service, certain), host)
	}
}

func TestNamesAreBounded(t *testing.T) {
	s := newNameSet(2)
	assert.True(t, s.admit("a"))
	assert.True(t, s.admit("b"))
	assert.False(t, s.admit("c"))
	assert.True(t, s.admit("a"))
	for range 2 { // two hours without them
		s.turned = s.turned.Add(-2 * nameLife)
		s.admit("x")
		s.admit("y")
	}
	assert.True(t, s.admit("x"))
	assert.Equal(t, 2, s.len())
	assert.Positive(t, s.refused.Load())
}

func TestSidesOfMetrics(t *testing.T) {
	for name, want := range map[string]side{
		"http.client.request.duration": clientSide, "rpc.server.call.duration": serverSide, "traces.span.metrics.calls": unknownSide,
	} {
		assert.Equal(t, want, sideOfMetric(name), name)
	}
}

// The page names all attributes, kinds and settings.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range fieldKeys {
		assert.Contains(t, string(text), "`"+key+"`")
	}
	for k := range index.Kinds {
		if k != index.Unknown {
			assert.Contains(t, string(text), "`"+k.String()+"`")
		}
	}
	var settings func(prefix string, of reflect.Type)
	settings = func(prefix string, of reflect.Type) {
		for f := range of.Fields() {
			key := f.Tag.Get("mapstructure")
			switch {
			case key == "" || prefix == "extract::labels::":
			case f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == of.PkgPath():
				settings(prefix+key+"::", f.Type)
			default:
				assert.Contains(t, string(text), "| `"+prefix+key+"`")
			}
		}
	}
	settings("", reflect.TypeFor[Config]())
}
