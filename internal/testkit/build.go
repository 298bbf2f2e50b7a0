// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	binaries   string // folder of the programs that were built for this run
	buildMutex sync.Mutex
)

// Main runs the tests of a package that builds programs.
func Main(m *testing.M) {
	os.Exit(func() int {
		var err error
		if binaries, err = os.MkdirTemp("", "wirespan-testkit-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(binaries)
		return m.Run()
	}())
}

// Build builds one of the folders of programs/ into a static binary, once per
// run of a test package.
func Build(t testing.TB, name string) string {
	t.Helper()
	buildMutex.Lock()
	defer buildMutex.Unlock()
	binary := filepath.Join(binaries, name)
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	cmd := exec.Command("go", "build", "-o", binary, "./internal/testkit/programs/"+name)
	cmd.Dir = Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}
