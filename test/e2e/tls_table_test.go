// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

var updateTLS = flag.Bool("update-tls", false, "write the tables of docs/tls.md anew")

// tlsRow is a line of a table in docs/tls.md: a program that was looked into.
type tlsRow struct {
	library, program, as, bound string
	version                     []string // the command that tells it
}

// tellTLS compares a table of docs/tls.md with what a test has just shown to work. Versions
// are those of the machine on which the table was written; they are not compared.
func tellTLS(t *testing.T, rows []tlsRow) {
	t.Helper()
	if t.Failed() {
		return
	}
	path := filepath.Join(testkit.Root(), "docs", "tls.md")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	begin, end := fmt.Sprintf("<!-- %s -->\n", t.Name()), fmt.Sprintf("<!-- end of %s -->\n", t.Name())
	before, rest, ok := strings.Cut(string(b), begin)
	require.True(t, ok, "%s has no %s", path, begin)
	table, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no %s", path, end)
	fresh := tlsTable(rows)
	if *updateTLS {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+fresh+end+after), 0o644))
		return
	}
	assert.Equal(t, withoutVersions(fresh), withoutVersions(table), "docs/tls.md is out of date: make tls-table")
}

func tlsTable(rows []tlsRow) string {
	var table strings.Builder
	table.WriteString("| Library | Program | As | Matched by | Tested with |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s |\n", r.library, r.program, r.as, r.bound, versionOf(r.version))
	}
	return table.String()
}

var (
	versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)*`)
	lastColumn    = regexp.MustCompile(`(?m)\|[^|\n]*\|$`)
)

func withoutVersions(table string) string { return lastColumn.ReplaceAllString(table, "|") }

// versionOf is the first number with dots that a command writes.
func versionOf(command []string) string {
	if len(command) == 0 {
		return ""
	}
	out, _ := exec.Command(command[0], command[1:]...).CombinedOutput()
	return versionNumber.FindString(string(out))
}
