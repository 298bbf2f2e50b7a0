// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// watched is a model that follows an API server.
type watched struct {
	*Model
	t       *testing.T
	watcher *Watcher
	traffic Traffic

	mu  sync.Mutex
	err error // the last one that health has told
}

func follow(t *testing.T, server *clustertest.Server) *watched {
	t.Helper()
	w := &watched{t: t, Model: NewModel(Settings{Retention: time.Hour}, index.New(8, 1000), &index.Networks{})}
	w.watcher = NewWatcher(w.Model, NewHealth(func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.err = err
	}))
	conf := rest.CopyConfig(server.Config())
	conf.QPS = -1
	conf.Wrap(w.traffic.wrap)
	client, err := rest.HTTPClientFor(conf)
	require.NoError(t, err)
	objects, err := kubernetes.NewForConfigAndClient(conf, client)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.watcher.Run(ctx, Clients{Objects: objects, Close: client.CloseIdleConnections})
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

// eventually waits for what takes a watch its time: there are intervals between
// attempts of up to seconds.
func (w *watched) eventually(what string, f func() bool) {
	w.t.Helper()
	require.Eventually(w.t, f, 30*time.Second, 5*time.Millisecond, what)
}

func (w *watched) has(ip string) bool {
	p, _ := w.index.FindExactly(index.Address(addr(ip)), time.Now().UnixNano())
	return p != nil
}

func (w *watched) lastError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func TestWatch(t *testing.T) {
	for name, streams := range map[string]bool{"streamed lists": true, "plain lists": false} {
		t.Run(name, func(t *testing.T) {
			server := clustertest.NewServer(t)
			if !streams {
				server.StreamNoLists()
			}
			a, b := payment("a", "10.1.0.5"), payment("b", "10.1.0.6")
			s := clustertest.Service("production", "pay", corev1.ServiceTypeClusterIP, "10.96.0.7")
			server.Set("pods", a)
			server.Set("services", s)
			server.Set("endpointslices", clustertest.Slice(s, a))
			server.Set("nodes", clustertest.Node("node-1", "172.16.0.1", "10.1.0.0/24"))
			w := follow(t, server)
			w.eventually("synced", w.watcher.Synced)
			assert.True(t, w.has("10.1.0.5"))
			assert.True(t, w.has("172.16.0.1"))
			p, _ := w.index.FindExactly(index.Port(addr("10.96.0.7"), 80, index.TCP), time.Now().UnixNano())
			require.NotNil(t, p)
			assert.Equal(t, a.Name, p.Pod)

			server.Set("pods", b)
			w.eventually("added", func() bool { return w.has("10.1.0.6") })
			server.Delete("pods", a)
			w.eventually("deleted", func() bool { return !w.has("10.1.0.5") })
			require.NoError(t, w.lastError())

			lists := int64(0)
			for r, n := range w.traffic.Requests() {
				if r.Verb == "list" {
					lists += n
				}
				assert.LessOrEqual(t, n, int64(2), r)
			}
			if streams {
				assert.Zero(t, lists)
			} else {
				assert.EqualValues(t, 4, lists)
			}
			assert.Positive(t, w.traffic.Bytes())
		})
	}
}

// What changes while the watch is broken is known when it is back, whether the
// server still has the events or has to list again.
func TestWatchBreaks(t *testing.T) {
	for name, forget := range map[string]bool{"events": false, "list": true} {
		t.Run(name, func(t *testing.T) {
			server := clustertest.NewServer(t)
			a, b := payment("a", "10.1.0.5"), payment("b", "10.1.0.6")
			server.Set("pods", a)
			w := follow(t, server)
			w.eventually("synced", w.watcher.Synced)

			server.Refuse(http.StatusServiceUnavailable)
			w.eventually("noticed", func() bool { return w.lastError() != nil })
			assert.True(t, w.has("10.1.0.5"), "what was known stays")
			assert.True(t, w.watcher.Synced())
			server.Delete("pods", a)
			server.Set("pods", b)
			if forget {
				server.Forget()
			}
			server.Refuse(0)
			w.eventually("caught up", func() bool { return w.has("10.1.0.6") && !w.has("10.1.0.5") })
			w.eventually("well again", func() bool { return w.lastError() == nil })
			for resource, up := range w.watcher.health.Up() {
				assert.True(t, up, resource)
			}
		})
	}
}

func TestPermissionIsMissing(t *testing.T) {
	server := clustertest.NewServer(t)
	server.Set("pods", payment("a", "10.1.0.5"))
	server.RefuseResource("nodes", http.StatusForbidden)
	w := follow(t, server)
	w.eventually("pods", func() bool { return w.has("10.1.0.5") })
	w.eventually("error", func() bool { return w.lastError() != nil })
	assert.ErrorContains(t, w.lastError(), "watch nodes: ")
	assert.False(t, w.watcher.Synced())
	assert.Positive(t, w.watcher.health.Failures()[Failure{"nodes", "forbidden"}])

	server.RefuseResource("nodes", 0)
	w.eventually("granted", func() bool { return w.watcher.Synced() && w.lastError() == nil })
}

func TestServerIsNotThere(t *testing.T) {
	server := clustertest.NewServer(t)
	server.Refuse(http.StatusServiceUnavailable)
	w := follow(t, server)
	w.eventually("error", func() bool { return w.lastError() != nil })
	assert.False(t, w.watcher.Synced())
	server.Set("pods", payment("a", "10.1.0.5"))
	server.Refuse(0)
	w.eventually("synced", w.watcher.Synced)
	assert.True(t, w.has("10.1.0.5"))
}

func TestReasons(t *testing.T) {
	h := NewHealth(func(error) {})
	assert.Equal(t, "connection", reasonOf(assert.AnError))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.failed(ctx, "pods", assert.AnError)
	assert.Empty(t, h.Failures(), "it is us who stop")
}

func TestConnectOutsideOfAPod(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for _, auth := range []string{"serviceAccount", "none"} {
		_, err := Connection{AuthType: auth}.Connect(&Traffic{})
		assert.ErrorIs(t, err, ErrNoCluster)
	}
	t.Setenv("KUBECONFIG", "/nonexistent/config")
	_, err := Connection{AuthType: "kubeConfig"}.Connect(&Traffic{})
	assert.ErrorContains(t, err, "read kubeconfig")
}

// One event for each change, however many requests there were.
func TestHealthTellsOfChanges(t *testing.T) {
	var told []bool
	h := NewHealth(func(err error) { told = append(told, err == nil) })
	h.expect("pods")
	h.expect("nodes")
	h.works("pods")
	assert.Empty(t, told, "the other one has not been tried")
	h.works("nodes")
	h.works("pods")
	assert.Equal(t, []bool{true}, told)
	h.failed(t.Context(), "pods", errors.New("reset by 127.0.0.1:1"))
	h.failed(t.Context(), "pods", errors.New("reset by 127.0.0.1:2"))
	assert.Equal(t, []bool{true, false}, told)
	h.works("pods")
	assert.Equal(t, []bool{true, false, true}, told)
	assert.EqualValues(t, 2, h.Failures()[Failure{"pods", "connection"}])
}
