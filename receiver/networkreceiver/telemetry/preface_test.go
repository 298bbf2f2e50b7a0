// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// preface is what a proxy says.
type preface struct {
	client, server dissect.Endpoint
	fact           string
}

func (p preface) Ends() (client, server dissect.Endpoint) { return p.client, p.server }

func (p preface) DescribePreface(out dissect.Attributes) { out.Str("fact", p.fact) }

// Of several prefaces the last is that of the farthest proxy. What the request says itself
// comes first.
func TestPrefaces(t *testing.T) {
	x := get()
	x.Prefaces = []dissect.Preface{
		preface{client: dissect.Endpoint{Address: "192.0.2.1", Port: 1}, fact: "near"},
		preface{client: dissect.Endpoint{Address: "192.0.2.2", Port: 2}, server: dissect.Endpoint{Address: "db.example", Port: 5432}, fact: "far"},
		preface{client: dissect.Endpoint{}, fact: "farthest"},
	}
	client := build(t, x)
	assert.Equal(t, "192.0.2.2", client.attrs[semconv.ClientAddress])
	assert.EqualValues(t, 2, client.attrs[semconv.ClientPort])
	assert.Equal(t, "shop.example", client.attrs[semconv.ServerAddress], "the request names it")
	assert.Equal(t, "farthest", client.attrs["fact"])
	assert.Equal(t, "farthest", client.lattr["fact"])
	assert.Equal(t, "10.0.0.1", client.attrs[semconv.NetworkLocalAddress], "the socket's")

	prefaces := x.Prefaces
	x = fromServer(get())
	x.Prefaces = prefaces
	server := build(t, x)
	assert.Equal(t, "192.0.2.2", server.attrs[semconv.ClientAddress])
	assert.Equal(t, "db.example", server.attrs[semconv.ServerAddress])
	assert.EqualValues(t, 5432, server.attrs[semconv.ServerPort])

	x = fromServer(get())
	x.Prefaces = []dissect.Preface{preface{client: dissect.Endpoint{Address: "/run/client.sock"}}}
	server = build(t, x)
	assert.Equal(t, "/run/client.sock", server.attrs[semconv.ClientAddress])
	assert.NotContains(t, server.attrs, semconv.ClientPort, "not that of another address")
}
