// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSGoroutines calls a server from goroutines that are moved between threads in the
// middle of reads and writes: every call is there at both ends, byte for byte.
func TestTLSGoroutines(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	s := testkit.GoServerTLS(t, certificates)
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{
		"ring_size": "64MiB", "include": testkit.M{"ports": []int{s.Port()}},
	}}})
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	log := filepath.Join(t.TempDir(), "truth")
	program := testkit.Build(t, "goroutines")
	p := testkit.Start(t, testkit.Program{
		Path: program, Args: []string{"-url", s.URL(), "-authority", certificates.Authority},
		Env: []string{"TRUTH=" + log, "GOMAXPROCS=4"}, Stdin: r,
	})
	testkit.Eventually(t, "both ends to be seen into", func() bool {
		return covered(c, program, "decrypted") > 0 && covered(c, testkit.Build(t, "server"), "decrypted") > 0
	})
	_, err = w.WriteString("\n")
	require.NoError(t, err)
	require.Zero(t, p.Wait(testkit.Patience), "%s", p.Output())
	moved, err := strconv.Atoi(strings.TrimSpace(p.Output()))
	require.NoError(t, err)
	assert.Positive(t, moved, "calls that ended on another thread")
	t.Logf("%d calls of crypto/tls ended on another thread", moved)
	c.Shutdown()

	calls, err := truth.Read(log)
	require.NoError(t, err)
	checkCalls(t, c.Calls().Where(func(call testkit.Call) bool { return call.Sequence() != "" }), between(t, calls, s))
}
