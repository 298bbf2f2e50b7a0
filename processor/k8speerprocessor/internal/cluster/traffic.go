// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// Traffic counts what is asked of the API server.
type Traffic struct {
	mu       sync.Mutex
	requests map[Request]int64
	bytes    atomic.Int64
}

// Request is a kind of request.
type Request struct{ Resource, Verb string }

// Requests gives how many of each kind were sent.
func (t *Traffic) Requests() map[Request]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.requests)
}

// Bytes gives how many bytes of answers have come, decompressed.
func (t *Traffic) Bytes() int64 { return t.bytes.Load() }

func (t *Traffic) wrap(next http.RoundTripper) http.RoundTripper { return &counted{t, next} }

func (t *Traffic) count(r *http.Request) {
	verb := "list"
	if r.URL.Query().Get("watch") != "" {
		verb = "watch"
	}
	path := r.URL.Path
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests == nil {
		t.requests = map[Request]int64{}
	}
	t.requests[Request{path[strings.LastIndexByte(path, '/')+1:], verb}]++
}

type counted struct {
	traffic *Traffic
	next    http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.traffic.count(r)
	resp, err := c.next.RoundTrip(r)
	if err == nil {
		resp.Body = &countedBody{resp.Body, &c.traffic.bytes}
	}
	return resp, err
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] calls.
func (c *counted) CloseIdleConnections() { utilnet.CloseIdleConnectionsFor(c.next) }

// WrappedRoundTripper lets client-go find the transport within.
func (c *counted) WrappedRoundTripper() http.RoundTripper { return c.next }

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

// Read implements [io.Reader].
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}
