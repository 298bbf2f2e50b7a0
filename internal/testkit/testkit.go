// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package testkit runs real programs (servers, clients, containers, collectors)
// for tests, and reads what each of them says about the same calls. Everything
// it starts belongs to one test and is ended, by process id, when the test is.
package testkit // import "github.com/wirespan/wirespan/internal/testkit"

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience bounds every wait for something that a program does by itself.
const Patience = 30 * time.Second

// CI reports whether the test runs where nothing may be skipped.
func CI() bool { return os.Getenv("CI") == "true" }

// Lacking skips the test because the machine lacks something, and fails it in CI.
func Lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if CI() {
		t.Fatalf("CI lacks "+format, args...)
	}
	t.Skipf("this machine lacks "+format, args...)
}

// NeedRoot makes sure that the test may load programs into the kernel.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Lacking(t, "root")
	}
}

// NeedProgram makes sure that a program is installed, and gives its path.
func NeedProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Lacking(t, "the program %s", name)
	}
	return path
}

// Root is the folder of the repository, or a path in it.
func Root(path ...string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(file), "..", ".."}, path...)...)
}

// FreePort is a TCP port of the loopback address that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// FreeAddr is a loopback address and port that nobody listens on.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}

// Eventually waits until done reports true, and fails the test with what if
// that takes longer than Patience.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	EventuallyIn(t, Patience, what, done)
}

// EventuallyIn is Eventually with a bound of its own.
func EventuallyIn(t testing.TB, bound time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !done(); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			require.FailNow(t, "timed out", "waiting for %s", what)
		}
	}
}
