// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/wirespan/wirespan/receiver/networkreceiver"
)

// settings gives the value of each setting that is a number, size or time.
func settings(prefix string, v reflect.Value, into map[string]string) {
	for i := range v.NumField() {
		field, key := v.Type().Field(i), v.Type().Field(i).Tag.Get("mapstructure")
		if key == "" || key == "retry_on_failure" || key == "workers" { // not ours, not a limit
			continue
		}
		value := v.Field(i)
		if get := value.MethodByName("GetOrInsertDefault"); !get.IsValid() && value.CanAddr() {
			if get = value.Addr().MethodByName("GetOrInsertDefault"); get.IsValid() {
				value = get.Call(nil)[0].Elem()
			}
		}
		switch {
		case field.Type.Kind() == reflect.Int, field.Type.Kind() == reflect.Int64:
			into[prefix+key] = fmt.Sprint(value.Interface())
		case value.Kind() == reflect.Struct:
			settings(prefix+key+"::", value, into)
		case value.Kind() == reflect.Map:
			for _, name := range value.MapKeys() {
				if block := value.MapIndex(name).Elem(); !block.FieldByName("MaxHeaderBytes").IsZero() { // what HTTP carries has HTTP's limits
					settings(prefix+key+"::"+name.String()+"::", block, into)
				}
			}
		}
	}
}

func TestLimitsPageHasAllSettings(t *testing.T) {
	actual := map[string]string{}
	settings("", reflect.ValueOf(networkreceiver.NewDefaultConfig()).Elem(), actual)
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_:]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(read(t, "docs/limits.md"), -1) {
		documented[m[1]] = m[2]
	}
	assert.NotEmpty(t, actual)
	assert.Equal(t, actual, documented, "settings and defaults in docs/limits.md: have %v", slices.Sorted(maps.Keys(documented)))
}

// A counter on the page is a metric of the receiver, with the attributes that it
// is named with. Values of attributes are checked on docs/telemetry.md.
func TestLimitsPageNamesRealCounters(t *testing.T) {
	var metadata struct {
		Telemetry struct {
			Metrics map[string]struct{ Attributes []string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, "receiver/networkreceiver/metadata.yaml")), &metadata))
	named := regexp.MustCompile("`([a-z_]+)\\{([a-z]+)=\"[a-z_]+\"\\}`").FindAllStringSubmatch(read(t, "docs/limits.md"), -1)
	require.NotEmpty(t, named)
	for _, m := range named {
		assert.Contains(t, metadata.Telemetry.Metrics["receiver_network_"+m[1]].Attributes, m[2], m[0])
	}
}

func TestLimitsPageNamesRealConstants(t *testing.T) {
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9_/]+\\.go)` \\| ([^|]+) \\|").FindAllStringSubmatch(read(t, "docs/limits.md"), -1)
	assert.NotEmpty(t, rows)
	for _, row := range rows {
		source := read(t, filepath.Join("receiver/networkreceiver", row[1]))
		for name := range strings.FieldsFuncSeq(row[2], func(r rune) bool { return strings.ContainsRune("`, ", r) }) {
			assert.Regexp(t, `(?m)^(const|)\s*`+name+`\s+=`, source, "%s has no constant %s", row[1], name)
		}
	}
}
