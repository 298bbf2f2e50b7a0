// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/cluster"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/metadata"
)

// serve starts a collector that others can ask.
func serve(t *testing.T, connect connectFunc, endpoint string, change func(*Config)) *bench {
	t.Helper()
	return start(t, connect, func(c *Config) {
		s := defaultServer()
		s.NetAddr.Endpoint = endpoint
		c.Cache.Serve = configoptional.Some(s)
		if change != nil {
			change(c)
		}
	})
}

// ask starts a collector that asks another one, and no API server.
func ask(t *testing.T, cache *bench, change func(*Config)) *bench {
	t.Helper()
	return start(t, func(*Config, *cluster.Traffic) (cluster.Clients, error) {
		t.Error("one that asks does not connect to Kubernetes")
		return cluster.Clients{}, assert.AnError
	}, func(c *Config) {
		a := defaultClient()
		a.Endpoint = cache.processor.address.String()
		a.TLS.Insecure = true
		c.Cache.Ask = configoptional.Some(a)
		if change != nil {
			change(c)
		}
	})
}

// named waits until calls to an address get a name.
func (b *bench) named(want, address string) {
	b.t.Helper()
	b.eventually(func() bool {
		name, _ := b.span(ptrace.SpanKindClient, time.Now(), to(address, 8080))["service.peer.name"].(string)
		return name == want
	})
}

func TestOneWatchForAll(t *testing.T) {
	server := shop(t)
	cache := serve(t, connectTo(server), "localhost:0", nil)
	agents := []*bench{ask(t, cache, nil), ask(t, cache, nil), ask(t, cache, nil)}
	for _, a := range agents {
		a.named("payment", "10.1.1.6")
		a.eventually(func() bool { return a.host.last() == componentstatus.StatusOK })
	}
	assert.Equal(t, 4, server.Watches(), "pods, services, slices and nodes, once")

	old := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	then := time.Now()
	server.Delete("pods", old)
	next := clustertest.Pod("production", "reports", "mno", "w1", "10.1.1.6", "node-2")
	next.Status = clustertest.Running("10.1.1.6", time.Now().Add(10*time.Second))
	server.Set("pods", next)
	for _, a := range agents {
		a.eventually(func() bool {
			return a.span(ptrace.SpanKindClient, then.Add(time.Minute), to("10.1.1.6", 8080))["service.peer.name"] == "reports"
		})
		assert.Equal(t, "payment", a.span(ptrace.SpanKindClient, then, to("10.1.1.6", 8080))["service.peer.name"], "as of then")
	}
}

// The first call to a peer waits for the answer.
func TestCallWaitsForTheCache(t *testing.T) {
	a := ask(t, serve(t, connectTo(shop(t)), "localhost:0", nil), func(c *Config) {
		c.Wait = WaitConfig{Timeout: time.Minute, SyncTimeout: time.Minute}
	})
	for _, address := range []string{"10.1.1.6", "10.96.0.8", "203.0.113.8", "172.16.0.1"} {
		out := a.span(ptrace.SpanKindClient, time.Now(), to(address, 80))
		assert.NotEmpty(t, out["wirespan.peer.kind"], address)
		assert.NotEqual(t, "external", out["wirespan.peer.kind"], address)
	}
	out := a.span(ptrace.SpanKindClient, time.Now(), to("198.51.100.7", 443))
	assert.Equal(t, "external", out["wirespan.peer.kind"], "which nobody in the cluster has, and nothing more can be told of")
}

// What is known serves on when the cache is gone, and what has changed is told when
// it is back.
func TestCacheComesAndGoes(t *testing.T) {
	server := shop(t)
	cache := serve(t, connectTo(server), "localhost:0", nil)
	a := ask(t, cache, func(c *Config) { c.Wait = WaitConfig{Timeout: time.Hour, SyncTimeout: time.Hour} })
	a.named("payment", "10.1.1.6")
	require.NoError(t, cache.processor.Shutdown(context.Background()))
	a.eventually(func() bool { return a.host.last() == componentstatus.StatusRecoverableError })
	assert.Equal(t, "payment", a.span(ptrace.SpanKindClient, time.Now(), to("10.1.1.6", 8080))["service.peer.name"])
	out := a.span(ptrace.SpanKindClient, time.Now(), to("10.1.1.7", 8080)) // and does not wait for an hour
	assert.Empty(t, out["wirespan.peer.kind"], "an address of the cluster is not taken for an external one")

	then := time.Now()
	server.Delete("pods", clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2"))
	serve(t, connectTo(server), cache.processor.address.String(), nil)
	a.eventually(func() bool { return a.host.last() == componentstatus.StatusOK })
	a.named("stock", "10.1.1.7")
	a.eventually(func() bool {
		p, _ := a.processor.source.Find(index.Address(netip.MustParseAddr("10.1.1.6")), time.Now().Add(time.Minute).UnixNano())
		return p == nil
	})
	assert.Equal(t, "payment", a.span(ptrace.SpanKindClient, then, to("10.1.1.6", 8080))["service.peer.name"], "the new cache does not know, but this one does")
}

func TestCacheThatKnowsNothingYet(t *testing.T) {
	server := shop(t)
	server.Refuse(503)
	cache := serve(t, connectTo(server), "localhost:0", nil)
	a := ask(t, cache, nil)
	a.eventually(func() bool { return a.host.last() == componentstatus.StatusRecoverableError })
	assert.Empty(t, a.added(ptrace.SpanKindClient, to("10.1.1.6", 8080)))
	server.Refuse(0)
	a.named("payment", "10.1.1.6")
	a.eventually(func() bool { return a.host.last() == componentstatus.StatusOK })
}

func TestLabelsOfTheCache(t *testing.T) {
	server := shop(t)
	pay := clustertest.Pod("production", "payment", "def", "y1", "10.1.1.6", "node-2")
	pay.Labels["version"], pay.Labels["tier"] = "7", "back"
	server.Set("pods", pay)
	node := clustertest.Node("node-2", "172.16.0.2", "10.1.1.0/24")
	node.Labels = map[string]string{"zone": "b"}
	server.Set("nodes", node)
	cache := serve(t, connectTo(server), "localhost:0", func(c *Config) {
		c.Extract.Labels = LabelsConfig{Pod: []string{"app", "tier", "version"}, Node: []string{"zone"}}
	})
	a := ask(t, cache, func(c *Config) {
		c.Extract.Labels = LabelsConfig{Pod: []string{"version", "not-there", "app"}, Node: []string{"zone"}}
	})
	a.named("payment", "10.1.1.6")
	out := a.span(ptrace.SpanKindClient, time.Now(), to("10.1.1.6", 8080))
	assert.Equal(t, "7", out["destination.k8s.pod.label.version"])
	assert.Equal(t, "payment", out["destination.k8s.pod.label.app"])
	assert.NotContains(t, out, "destination.k8s.pod.label.tier")
	assert.Equal(t, "b", out["destination.k8s.node.label.zone"])

	moved := node.DeepCopy()
	moved.Labels["zone"] = "c"
	server.Set("nodes", moved)
	a.eventually(func() bool {
		return a.span(ptrace.SpanKindClient, time.Now(), to("10.1.1.6", 8080))["destination.k8s.node.label.zone"] == "c"
	})
}

// One that asks for more than the cache allows is refused, and others are not.
func TestCacheIsBounded(t *testing.T) {
	cache := serve(t, connectTo(shop(t)), "localhost:0", func(c *Config) { c.Cache.MaxKeys = 4 })
	greedy, modest := ask(t, cache, nil), ask(t, cache, func(c *Config) { c.Cache.MaxKeys = 4 })
	for i := range 8 {
		greedy.span(ptrace.SpanKindClient, time.Now(), to(clustertest.Address("10.1.0.0", i+100), 80))
	}
	greedy.eventually(func() bool { return greedy.host.last() == componentstatus.StatusRecoverableError })
	modest.named("payment", "10.1.1.6")
	assert.Positive(t, counter(t, greedy, "api_failures", "cache"))
	for i := range 8 {
		modest.span(ptrace.SpanKindClient, time.Now(), to(clustertest.Address("10.1.0.0", i+100), 80))
	}
	modest.named("payment", "10.1.1.6")
	assert.Equal(t, componentstatus.StatusOK, modest.host.last())
	assert.EqualValues(t, 4, counter(t, modest, "cache_size", "keys"))
	assert.Positive(t, counter(t, modest, "cache_evicted", ""))
	assert.Positive(t, counter(t, modest, "cache_asked", ""))
	assert.Positive(t, counter(t, modest, "cache_answers", ""))
	assert.Positive(t, counter(t, cache, "cache_answers", ""))
	assert.Positive(t, counter(t, cache, "cache_agents", ""))
	assert.LessOrEqual(t, counter(t, cache, "cache_subscriptions", ""), int64(9))
}

// counter gives a metric's value for a label, or the only one.
func counter(t *testing.T, b *bench, name, label string) (value int64) {
	t.Helper()
	m, err := b.tel.GetMetric("otelcol_processor_k8s_peer_" + name)
	require.NoError(t, err)
	collect(m.Data, func(n int64, l string) {
		if label == "" || l == label {
			value += n
		}
	})
	return value
}

// With TLS both ways, only those with a certificate are told.
func TestCacheAuthenticates(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t)
	cache := serve(t, connectTo(shop(t)), "localhost:0", func(c *Config) {
		s := c.Cache.Serve.Get()
		s.TLS = configoptional.Some(configtls.ServerConfig{
			Config: configtls.Config{CertPem: cert, KeyPem: key}, ClientCAFile: ca.file,
		})
	})
	as := func(a *authority) *bench {
		cert, key := a.issue(t)
		return ask(t, cache, func(c *Config) {
			c.Cache.Ask.Get().TLS = configtls.ClientConfig{Config: configtls.Config{CAPem: configopaque.String(ca.pem), CertPem: cert, KeyPem: key}}
		})
	}
	as(ca).named("payment", "10.1.1.6")
	stranger, plain := as(other), ask(t, cache, nil)
	for _, b := range []*bench{stranger, plain} {
		b.eventually(func() bool { return b.host.last() == componentstatus.StatusRecoverableError })
		assert.Empty(t, b.added(ptrace.SpanKindClient, to("10.1.1.6", 8080)))
	}
}

func TestCacheThatCannotListen(t *testing.T) {
	f := newFactory(connectTo(shop(t)))
	cfg := f.CreateDefaultConfig().(*Config)
	s := defaultServer()
	s.NetAddr.Endpoint = "192.0.2.1:4320" // nobody's here
	cfg.Cache.Serve = configoptional.Some(s)
	assert.ErrorContains(t, startOne(t, f, cfg), "serve cache: ")
}

func startOne(t *testing.T, f processor.Factory, cfg *Config) error {
	t.Helper()
	p, err := f.CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	err = p.Start(t.Context(), &statusHost{})
	require.NoError(t, p.Shutdown(t.Context()))
	return err
}

var loopbacks = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}

// authority signs certificates for localhost.
type authority struct {
	pem, file string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	require.NoError(t, err)
	a.pem = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	a.file = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(a.file, []byte(a.pem), 0o600))
	return a
}

func (a *authority) issue(t *testing.T) (cert, key configopaque.String) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"localhost"}, IPAddresses: loopbacks, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &private.PublicKey, a.key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
