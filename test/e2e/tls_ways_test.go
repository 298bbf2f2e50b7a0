// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/tlspeer"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// The sizes of responses that are asked for in each way, around the size of a record, and
// one that one call takes at once.
var (
	waySizes   = []int{0, 1, 16383, 16384, 16385, 1_000_000}
	largeSizes = []int{16 << 20}
)

// tlsWay is a way to use a library.
type tlsWay struct {
	library, way, path string
	server             tlsServer
}

func (w *tlsWay) name() string { return w.library + "-" + w.way }

// bound is how the library's objects meet their sockets.
func (w *tlsWay) bound() string {
	if w.way == "memory" || w.way == "pair" {
		return "buffer in memory"
	}
	return "packet"
}

// get asks for bodies of these sizes.
func (w *tlsWay) get(t *testing.T, certificates *testkit.Certificates, sequence string, sizes []int) outcome {
	t.Helper()
	arguments := []string{"get", w.way, w.server.at, certificates.Authority, sequence}
	for _, size := range sizes {
		arguments = append(arguments, strconv.Itoa(size))
	}
	c := exec.Command(w.path, arguments...)
	output, err := c.Output()
	require.NoError(t, err, "%s: %s", w.name(), output)
	return outcome{c.Process.Pid, output, c.ProcessState.String()}
}

// startWays starts a server for each way.
func startWays(t *testing.T, certificates *testkit.Certificates, library, path string, ways []string) (all []*tlsWay) {
	t.Helper()
	for _, way := range ways {
		all = append(all, &tlsWay{library, way, path, startTLS(t, tlspeer.Server{Name: way, Command: func() *exec.Cmd {
			return exec.Command(path, "serve", way, certificates.Certificate, certificates.Key)
		}})})
	}
	return all
}

// TestTLSWays lets a program use OpenSSL and BoringSSL in each way that there is.
func TestTLSWays(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	lookIntoWays(t, certificates, append(
		startWays(t, certificates, "OpenSSL", tlspeer.OpenSSL(t), tlspeer.OpenSSLWays),
		startWays(t, certificates, "BoringSSL", tlspeer.BoringSSL(t), tlspeer.BoringSSLWays)...))
}

// lookIntoWays makes sure that every call is there at both ends, byte for byte, and that
// the program says what it says without a capture.
func lookIntoWays(t *testing.T, certificates *testkit.Certificates, ways []*tlsWay) {
	t.Helper()
	untouched := map[string]outcome{}
	for _, w := range ways {
		untouched[w.name()] = w.get(t, certificates, "untouched", waySizes)
		assert.Equal(t, saidOfBodies(waySizes), string(untouched[w.name()].output), w.name())
	}
	c := live(t, testkit.M{
		"capture":   testkit.M{"ebpf": testkit.M{"ring_size": "128MiB"}},
		"protocols": testkit.M{"http": testkit.M{"max_body_bytes": "17MiB"}},
		"memory":    testkit.M{"limit": "2GiB"}, // of which one connection may have a part
	})
	var wants []want
	var rows []tlsRow
	for _, w := range ways {
		got := w.get(t, certificates, w.name(), waySizes)
		assert.Equal(t, string(untouched[w.name()].output), string(got.output), w.name())
		assert.Equal(t, untouched[w.name()].status, got.status, w.name())
		wants = append(wants, wantBodies(w.name(), waySizes, got.pid, w.server.pid)...)
		rows = append(rows, tlsRow{w.library, wayNames[w.way], "client and server", w.bound(), wayVersions[w.library]})
	}
	got := ways[0].get(t, certificates, "large", largeSizes)
	wants = append(wants, wantBodies("large", largeSizes, got.pid, ways[0].server.pid)...)
	c.AwaitSpans(wants[len(wants)-1].Sequence, 2)
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	checkCalls(t, c.Calls().Where(func(call testkit.Call) bool { return call.Sequence() != "" }), wants)
	tellTLS(t, rows)
}

var wayVersions = map[string][]string{
	"OpenSSL": {"openssl", "version"}, "BoringSSL": {"dpkg-query", "-W", "android-libboringssl"},
	staticBoringSSL: {"grep", "-o", "grpc@[0-9.]*", testkit.Root(".ci", "tls-software")},
}

// wayNames are for the table.
var wayNames = map[string]string{
	"plain":       "`SSL_read`, `SSL_write`: one call for each message",
	"ex":          "`SSL_read_ex`, `SSL_write_ex`, reads of 1500 bytes",
	"peek":        "`SSL_peek` (and `SSL_peek_ex`, where there is one) before each read of 1000 bytes",
	"partial":     "`SSL_MODE_ENABLE_PARTIAL_WRITE`, without waiting",
	"retry":       "the same write again until it succeeds, without waiting",
	"renegotiate": "renegotiation (TLS 1.2)",
	"update":      "key updates in both directions (TLS 1.3)",
	"early":       "early data: `SSL_write_early_data`, `SSL_read_early_data`",
	"shutdown":    "`SSL_shutdown` before the response is read",
	"memory":      "between two memory BIOs, sent when another object has written",
	"pair":        "a pair of BIOs, likewise",
}

// saidOfBodies is what the program says about bodies of these sizes.
func saidOfBodies(sizes []int) string {
	var said strings.Builder
	for _, size := range sizes {
		sum := fnv.New64a()
		_, _ = sum.Write(tlspeer.OpenSSLBody(size))
		fmt.Fprintf(&said, "%d %016x\n", size, sum.Sum64())
	}
	return said.String()
}

func wantBodies(sequence string, sizes []int, clientPID, serverPID int) []want {
	var wants []want
	for _, size := range sizes {
		body := tlspeer.OpenSSLBody(size)
		wants = append(wants, want{
			truth.Call{
				PID: clientPID, Sequence: fmt.Sprintf("%s-%d", sequence, size), Method: "GET", Status: 200,
				RequestSHA256: truth.Sum(nil), ResponseSize: size, ResponseSHA256: truth.Sum(body),
			},
			ends(clientPID, serverPID),
		})
	}
	return wants
}

// TestTLSUnproven is for a program that sends itself what its library has written, and keeps that in a way
// that nobody knows. What the program does in which order proves nothing: nothing is shown of these ends, and it is said so.
func TestTLSUnproven(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	w := startWays(t, certificates, "OpenSSL", tlspeer.OpenSSL(t), []string{"own"})[0]
	at, err := netip.ParseAddrPort(w.server.at)
	require.NoError(t, err)
	c := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"ports": []uint16{at.Port()}}}}})
	w.get(t, certificates, w.name(), []int{0, 1, 16385})
	testkit.Eventually(t, "the coverage of the server to be told", func() bool { return covered(c, w.path, "unbound") > 0 })
	assert.Positive(t, counted(c, "capture_events", `kind="tls_unbound_call"`))
	c.Shutdown()
	assert.Empty(t, c.Calls().Where(func(call testkit.Call) bool { return call.Method != "" }))
}
