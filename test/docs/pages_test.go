// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/markdown"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// pages returns the code in all pages, but for the list of changes: that is history.
func pages(t *testing.T) (all []markdown.Code) {
	t.Helper()
	out := run(t, "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md")
	for page := range strings.FieldsSeq(out) {
		text, err := os.ReadFile(testkit.Root(page))
		if page == "CHANGELOG.md" || os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		all = append(all, markdown.Find(page, string(text))...)
	}
	require.NotEmpty(t, all)
	return all
}

// run runs a program in the repository's root and returns what it prints.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = testkit.Root()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), "%s %s\n%s%s", program, strings.Join(args, " "), &stdout, &stderr)
	return stdout.String()
}

// full and lean are the programs of make build and make lean.
func full(t *testing.T) string { t.Helper(); return testkit.Wirespan(t) }

func lean(t *testing.T) string {
	t.Helper()
	path := testkit.Root("build", "lean", "wirespan")
	if _, err := os.Stat(path); err != nil {
		testkit.Lacking(t, "%s, which make lean builds", path)
	}
	return path
}

// languages of fenced blocks, and whether there is something in them to be tried.
var languages = map[string]bool{
	"sh": true, "console": true, "yaml": true,
	"": false, "text": false, "mermaid": false,
}

// A block whose language is not known here would be tried by no test.
func TestBlocksAreOfKnownLanguages(t *testing.T) {
	for _, code := range pages(t) {
		if !code.Fenced {
			continue
		}
		tried, known := languages[code.Language]
		assert.True(t, known, "%s: no test knows blocks of %q", code, code.Language)
		if !tried {
			assert.NotRegexp(t, `(?m)^\s*(\$|sudo|make|helm|kubectl|docker) `, code.Text, "%s: a command in a block that is not for them", code)
		}
	}
}

// validate has a collector check configurations together, as several --config do.
func validate(t *testing.T, program string, env []string, args []string, files ...string) {
	t.Helper()
	args = append([]string{"validate"}, args...)
	for _, file := range files {
		args = append(args, "--config="+file)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = testkit.Root()
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s %s\n%s", program, strings.Join(args, " "), out)
}

// write puts text into a file of the test's own.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}
