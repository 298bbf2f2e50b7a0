// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSSlowReadersJoined starts the collector while clients are behind with reading: what
// they get of the library then came in packets that nobody saw, and goes on to do so long
// after. Calls that begin later are whole.
func TestTLSSlowReadersJoined(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	servers := []*testkit.Server{testkit.GoServerTLS(t, certificates), testkit.PythonTLS(t, certificates), testkit.AsyncioTLS(t, certificates)}
	modes := []string{"blocking", "asyncio", "node"}
	var ports []int
	clients := map[*testkit.Server][]*testkit.WaitingTLSClient{}
	for _, s := range servers {
		ports = append(ports, s.Port())
		for _, mode := range modes {
			client := testkit.StartSlowTLSClient(t, certificates, mode, s.URL())
			client.Begin("unseen /bytes/1/6000000/binary")
			clients[s] = append(clients[s], client)
		}
		testkit.Eventually(t, "requests", func() bool { return len(s.Truth()) == len(modes) })
	}
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "64MiB", "include": testkit.M{"ports": ports}}},
		"protocols": testkit.M{"http": testkit.M{"max_body_bytes": "2MiB"}},
	})
	var wants []want
	for i, s := range servers {
		for k, client := range clients[s] {
			client.Await()
			for call := range 3 {
				client.Begin(fmt.Sprintf("slow%d-%s-%d /bytes/%d/500000/binary", i, modes[k], call, call))
				made := client.Await()
				require.Equal(t, 500_000, made.ResponseSize)
				if call > 0 { // at the first, a server that waited was inside the library before
					wants = append(wants, between(t, []truth.Call{made}, s)...)
				}
			}
		}
	}
	c.AwaitSpans(wants[len(wants)-1].Sequence, 2)
	c.Shutdown()
	later := map[string]bool{}
	for _, w := range wants {
		later[w.Sequence] = true
	}
	checkCalls(t, c.Calls().Where(func(call testkit.Call) bool { return later[call.Sequence()] }), wants)
}

// TestTLSSlowReaderJoinedHTTP2 does so with streams that are mixed. Names of headers from
// before the collector's start are not known any more, so that calls are told apart by the
// lengths of their responses.
func TestTLSSlowReaderJoinedHTTP2(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	s := testkit.GoServerTLS(t, certificates)
	reader := testkit.StartSlowTLSClient(t, certificates, "http2", s.URL())
	reader.Begin("unseen /bytes/1/3000000/binary")
	testkit.Eventually(t, "the request", func() bool { return len(s.Truth()) == 1 })
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "64MiB", "include": testkit.M{"ports": []int{s.Port()}}}},
		"protocols": testkit.M{"http2": testkit.M{"max_body_bytes": "2MiB"}},
	})
	const rounds, streams = 4, 4
	size := func(stream int) int { return 300_000 + 1000*stream }
	for range rounds {
		for stream := range streams {
			reader.Begin(fmt.Sprintf("mixed /bytes/%d/%d/binary", stream, size(stream)))
		}
		reader.Await()
	}
	c.Shutdown()
	got := map[string]int{}
	for _, call := range c.Calls() {
		if call.Status == http.StatusOK && len(incomplete(call)) == 0 {
			got[fmt.Sprint(call.Kind, " ", truth.Sum(call.Response.Body))]++
		}
	}
	for _, kind := range []ptrace.SpanKind{client, server} {
		for stream := range streams {
			n := got[fmt.Sprint(kind, " ", truth.Sum(truth.BinaryBody(stream, size(stream))))]
			assert.GreaterOrEqual(t, n, rounds-1, "%v of stream %d", kind, stream)
			assert.LessOrEqual(t, n, rounds, "%v of stream %d", kind, stream)
		}
	}
}
