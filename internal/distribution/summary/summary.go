// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package summary says in a few lines what is in a collector's configuration.
package summary // import "github.com/wirespan/wirespan/internal/distribution/summary"

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// kinds are the sections of a configuration that have components.
var kinds = []string{"receivers", "processors", "exporters", "connectors", "extensions"}

// Of says what a valid configuration does: the components that are in use, the way through
// each pipeline, and what is configured and not in use.
func Of(conf *confmap.Conf) string {
	var out strings.Builder
	out.WriteString("The configuration is valid.\n")
	pipelines, used := pipelinesOf(conf)
	for _, kind := range kinds {
		line(&out, kind, strings.Join(used[kind], ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		line(&out, "pipeline", name+": "+pipelines[name])
	}
	for _, kind := range kinds {
		var idle []string
		for _, id := range slices.Sorted(maps.Keys(section(conf, kind))) {
			if !slices.Contains(used[kind], id) && !slices.Contains(used["connectors"], id) {
				idle = append(idle, id)
			}
		}
		line(&out, "unused", prefixed(kind+" ", strings.Join(idle, ", ")))
	}
	out.WriteString("Not tried: privileges, files that are read at the start, and whether anybody listens at an endpoint.\n")
	return out.String()
}

func line(out *strings.Builder, label, text string) {
	if text != "" {
		fmt.Fprintf(out, "  %-11s %s\n", label, text)
	}
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// pipelinesOf returns the way through each pipeline, and the components that are in use.
func pipelinesOf(conf *confmap.Conf) (pipelines map[string]string, used map[string][]string) {
	pipelines, used = map[string]string{}, map[string][]string{}
	connectors := section(conf, "connectors")
	use := func(kind, id string) {
		if _, ok := connectors[id]; ok {
			kind = "connectors"
		}
		if !slices.Contains(used[kind], id) {
			used[kind] = append(used[kind], id)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(section(conf, "service::pipelines"))) {
		var way []string
		for _, kind := range []string{"receivers", "processors", "exporters"} {
			ids := strs(conf.Get("service::pipelines::" + name + "::" + kind))
			for _, id := range ids {
				use(kind, id)
			}
			switch {
			case len(ids) == 0:
			case kind == "processors":
				way = append(way, ids...)
			default:
				way = append(way, strings.Join(ids, ", "))
			}
		}
		pipelines[name] = strings.Join(way, " → ")
	}
	for _, id := range strs(conf.Get("service::extensions")) {
		use("extensions", id)
	}
	return pipelines, used
}

func section(conf *confmap.Conf, key string) map[string]any {
	all, _ := conf.Get(key).(map[string]any)
	return all
}

func strs(v any) []string {
	list, _ := v.([]any)
	all := make([]string, 0, len(list))
	for _, item := range list {
		all = append(all, fmt.Sprint(item))
	}
	return all
}
