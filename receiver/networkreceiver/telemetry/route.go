// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

// addRoute adds the template of the path that was asked for, and puts it into the
// span's name where that is the method alone.
func (b *Builder) addRoute(c *call, m *attributes) {
	asked := &c.summary.Route
	template := b.set.Routes.Of(m.server(), asked.Path, asked.Served, c.start())
	if template == "" {
		return
	}
	key := semconv.URLTemplate
	if c.side == dissect.ServerSide {
		key = semconv.HTTPRoute
	}
	m.str(key, template)
	if asked.Named {
		c.summary.Name = b.names.of(c.summary.Name, template)
	}
}

// server is what the call's server is named on the record.
func (a *attributes) server() (s route.Server) {
	for i := range a.list {
		switch a.list[i].key {
		case semconv.ServerAddress:
			s.Address = a.list[i].str
		case semconv.ServerPort:
			s.Port = a.list[i].num
		}
	}
	return s
}

// spanName is a method with a route.
type spanName struct{ method, template string }

// spanNames remembers a bounded number of spans' names.
type spanNames map[spanName]string

const maxSpanNames = 1024

func (n spanNames) of(method, template string) string {
	key := spanName{method, template}
	if name, ok := n[key]; ok {
		return name
	}
	if len(n) >= maxSpanNames {
		clear(n)
	}
	key.method = strings.Clone(method) // and not a part of a message
	name := method + " " + template
	n[key] = name
	return name
}
