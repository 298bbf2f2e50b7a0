// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// TestTLSPostgreSQL lets psql ask PostgreSQL over TLS, which begins within the protocol.
// What is inside has no dissector yet: the plaintext of both ends is seen, and counted.
func TestTLSPostgreSQL(t *testing.T) {
	testkit.NeedRoot(t)
	certificates := testkit.NewCertificates(t)
	addr := startPostgreSQL(t, certificates)
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	const rows = 50_000
	ask := func() string {
		return testkit.Run(t, testkit.Program{
			Path: testkit.NeedProgram(t, "psql"),
			Args: []string{
				"--no-psqlrc", "--tuples-only", "--no-align", "--command", fmt.Sprintf("select md5(i::text) from generate_series(1, %d) i", rows),
				fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=verify-full sslrootcert=%s", host, port, certificates.Authority),
			},
		})
	}
	untouched := ask()
	c := live(t, nil)
	assert.Equal(t, untouched, ask())
	c.AwaitSpans("TLS handshake", 2)
	const decrypted, plain = `otelcol_receiver_network_capture_events{kind="tls_connection_decrypted",receiver="network"}`,
		`otelcol_receiver_network_capture_events{kind="plain_byte",receiver="network"}`
	testkit.Eventually(t, "the report that both ends are decrypted", func() bool { return c.Metrics()[decrypted] >= 2 })
	assert.Greater(t, c.Metrics()[plain], float64(2*len(untouched)), "bytes at both ends")
	c.Shutdown()
	kinds := map[any]int{}
	for _, call := range c.Calls() {
		if call.Name == "TLS handshake" && call.Attributes["server.port"] == int64(number(t, port)) {
			kinds[call.Kind]++
		}
	}
	assert.Equal(t, map[any]int{client: 1, server: 1}, kinds)
	tellTLS(t, []tlsRow{
		{"libssl", "psql (libpq)", "client", "packet", []string{"psql", "--version"}},
		{"libssl", "PostgreSQL", "server", "packet", []string{"psql", "--version"}},
	})
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// startPostgreSQL starts a server that takes nothing but TLS. It refuses to be root.
func startPostgreSQL(t *testing.T, certificates *testkit.Certificates) (addr string) {
	t.Helper()
	programs, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	require.NoError(t, err)
	if len(programs) == 0 {
		testkit.Lacking(t, "the program postgres")
	}
	owner, err := user.Lookup("postgres")
	require.NoError(t, err)
	uid := number(t, owner.Uid)
	dir, err := os.MkdirTemp("", "wirespan-postgresql-") //nolint:usetesting // a test's own folder is private
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chown(dir, uid, uid))
	key := filepath.Join(dir, "key.pem")
	b, err := os.ReadFile(certificates.Key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(key, b, 0o600))
	require.NoError(t, os.Chown(key, uid, uid))
	certificate := filepath.Join(dir, "certificate.pem")
	b, err = os.ReadFile(certificates.Certificate)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certificate, b, 0o644))

	data := filepath.Join(dir, "data")
	bin := filepath.Dir(programs[len(programs)-1])
	testkit.Run(t, testkit.Program{
		Path: filepath.Join(bin, "initdb"), UID: uid, Dir: dir,
		Args: []string{"--pgdata", data, "--auth", "trust", "--no-sync", "--username", "postgres"},
	})
	rules := "hostssl all all 127.0.0.1/32 trust\n"
	require.NoError(t, os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(rules), 0o644))
	addr = testkit.FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	testkit.Start(t, testkit.Program{
		Path: filepath.Join(bin, "postgres"), UID: uid, Dir: dir, Addr: addr,
		Args: []string{
			"-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir, "-c", "fsync=off",
			"-c", "ssl=on", "-c", "ssl_cert_file=" + certificate, "-c", "ssl_key_file=" + key,
		},
	})
	return addr
}
