// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/route"
)

func withRoutes(s *Settings) {
	s.Routes = route.New(route.Settings{Learn: true, Secret: redact.New(s.Redaction).Names}, nil)
}

func order(path string) *pair.Exchange {
	x := get()
	r := x.Request.Protocol.(*fakeRequest)
	r.path, r.url = path, "http://shop.example"+path
	return x
}

// TestRoutes wants the same template at both ends, in the attribute of each.
func TestRoutes(t *testing.T) {
	client := build(t, order("/orders/4711"), withRoutes)
	assert.Equal(t, "POST /orders/{id}", client.span.Name())
	assert.Equal(t, "/orders/{id}", client.attrs["url.template"])
	assert.Equal(t, "/orders/{id}", client.lattr["url.template"])
	assert.NotContains(t, client.attrs, "http.route")
	server := build(t, fromServer(order("/orders/4711")), withRoutes)
	assert.Equal(t, "POST /orders/{id}", server.span.Name())
	assert.Equal(t, "/orders/{id}", server.attrs["http.route"])
	assert.Equal(t, "/orders/{id}", server.lattr["http.route"])
	assert.NotContains(t, server.attrs, "url.template")
}

// TestNoRoute keeps the method where no route is known.
func TestNoRoute(t *testing.T) {
	off := build(t, order("/orders/4711"))
	assert.Equal(t, "POST", off.span.Name())
	assert.NotContains(t, off.attrs, "url.template")
	x := order("/nothing")
	x.Response, x.Missing = nil, "timeout"
	unanswered := build(t, x, withRoutes)
	assert.Equal(t, "POST", unanswered.span.Name())
	assert.NotContains(t, unanswered.attrs, "url.template")
}

// TestRoutesHaveNoSecrets has nothing in a template that stands behind a name like that
// of a secret, unless nothing is redacted.
func TestRoutesHaveNoSecrets(t *testing.T) {
	assert.Equal(t, "POST /reset-password/{id}", build(t, order("/reset-password/sesame"), withRoutes).span.Name())
	open := build(t, order("/reset-password/sesame"), func(s *Settings) { s.Redaction = redact.Settings{} }, withRoutes)
	assert.Equal(t, "POST /reset-password/sesame", open.span.Name())
}
