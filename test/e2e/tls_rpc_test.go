// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestTLSGRPC is TestGRPC inside TLS: grpc-go with Go's library, Python's grpcio with
// OpenSSL between buffers in memory.
func TestTLSGRPC(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	environment := []string{
		"TLS_CERTIFICATE=" + certificates.Certificate, "TLS_KEY=" + certificates.Key, "TLS_AUTHORITY=" + certificates.Authority,
	}
	program := testkit.Program{Path: testkit.Build(t, "rpc"), Env: environment}
	python := testkit.Program{
		Path: testkit.NeedProgram(t, "/usr/bin/python3"), Env: environment,
		Args: []string{"-B", filepath.Join(testkit.Root(), "internal", "testkit", "programs", "rpc.py")},
	}
	goServer, pythonServer := startRPC(t, program), startRPC(t, python)
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"protocols": testkit.M{"http2": testkit.M{"max_body_bytes": "8MiB"}},
		"memory":    testkit.M{"limit": "1GiB"}, // of which one connection may have a part
	})
	reflected := testkit.Start(t, with(program, "reflect", goServer.addr)) // the server runs since before the capture
	require.Zero(t, reflected.Wait(testkit.Patience), "%s", reflected.Output())
	c.AwaitSpans("ServerReflectionInfo", 1) // what it was told of the messages is known from now on
	runs := []*rpcRun{
		{name: "grpc-go", client: program, addr: goServer.addr, server: goServer},
		{name: "grpcio", client: python, addr: pythonServer.addr, server: pythonServer},
	}
	// None has a deadline, which a handshake on a busy machine can take.
	kinds := []string{"unary", "gzip", "missing", "large", "server", "client", "bidi"}
	for _, r := range runs {
		run := testkit.Start(t, with(r.client, append([]string{"send", r.addr, r.name, "2"}, kinds...)...))
		require.Zero(t, run.Wait(testkit.Patience), "%s", run.Output())
		r.pid, r.said = run.PID(), rpcCalls(t, run.Output())
		require.Len(t, r.said, 2*len(kinds))
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	got := c.Calls()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) { r.check(t, got) })
	}
}
