// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// carrier is what carries a call.
type carrier struct {
	dissect.Carrier
	name string
}

func (c carrier) ServerName() string { return c.name }

func (carrier) DescribeCarrier(first bool, out dissect.Attributes) {
	out.Str("tls.protocol.version", "1.3")
	out.Bool("first", first)
}

// A call that is carried says by what, and is named as its carrier was asked for if nothing
// else names the server.
func TestCarrier(t *testing.T) {
	x := get()
	x.Carrier = carrier{name: "sni.example"}
	client := build(t, x)
	assert.Equal(t, "1.3", client.attrs["tls.protocol.version"])
	assert.Equal(t, "1.3", client.lattr["tls.protocol.version"])
	assert.Equal(t, true, client.attrs["first"])
	assert.Equal(t, "shop.example", client.attrs[semconv.ServerAddress], "the request names it")

	x = fromServer(get())
	x.Carrier, x.First = carrier{name: "sni.example"}, false
	server := build(t, x)
	assert.Equal(t, "sni.example", server.attrs[semconv.ServerAddress])
	assert.EqualValues(t, 80, server.attrs[semconv.ServerPort])
	assert.Equal(t, false, server.attrs["first"])

	x = fromServer(get())
	x.Carrier = carrier{}
	assert.Equal(t, "10.0.0.2", build(t, x).attrs[semconv.ServerAddress])
}
