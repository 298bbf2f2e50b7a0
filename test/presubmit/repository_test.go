// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

const module = "github.com/wirespan/wirespan"

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(testkit.Root(path))
	require.NoError(t, err)
	return string(b)
}

// run gives the standard output of a command in the repository's root.
func run(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = testkit.Root()
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), &stderr)
	return out
}

var listed = sync.OnceValues(func() ([]byte, error) {
	root, err := filepath.EvalSymlinks(testkit.Root())
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("git", "-c", "safe.directory="+root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	return cmd.Output()
})

// files lists what is in the repository, or would be after git add, by the ends
// of the names; all if none is given.
func files(t *testing.T, ends ...string) []string {
	t.Helper()
	out, err := listed()
	require.NoError(t, err, "git ls-files")
	var found []string
	for path := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if info, err := os.Stat(testkit.Root(path)); err != nil || info.IsDir() {
			continue // deleted, but still in the index
		}
		if len(ends) == 0 || hasAnySuffix(path, ends) {
			found = append(found, path)
		}
	}
	require.NotEmpty(t, found)
	return found
}

func hasAnySuffix(s string, ends []string) bool {
	for _, end := range ends {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}
