// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestEverySourceSaysItsLicence(t *testing.T) {
	for _, path := range files(t, ".go", ".c", ".h", ".sh", ".py", ".js") {
		if strings.Contains(path, "/testdata/") {
			continue
		}
		text := read(t, path)
		if generated.MatchString(text) {
			continue
		}
		head := text[:min(len(text), 400)]
		assert.Contains(t, head, "Copyright The Wirespan Authors", path)
		assert.Contains(t, head, "SPDX-License-Identifier: ", path)
	}
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// What is particular to the machine at hand has no place in the repository, in
// objects that were built on it neither.
func TestNoTracesOfThisMachine(t *testing.T) {
	root, err := filepath.Abs(testkit.Root())
	require.NoError(t, err)
	home, err := os.UserHomeDir()
	require.NoError(t, err)

	var traces []*regexp.Regexp
	for _, folder := range []string{root, filepath.Dir(root), home} {
		if folder != "/" {
			traces = append(traces, regexp.MustCompile(`(^|[^\w/.\-])`+regexp.QuoteMeta(folder)+`/`))
		}
	}
	for _, host := range proxies(t) {
		traces = append(traces, regexp.MustCompile(regexp.QuoteMeta(host)))
	}
	for _, path := range files(t) {
		text := read(t, path)
		for _, trace := range traces {
			assert.Empty(t, trace.FindString(text), path)
		}
	}
}

// proxies are the hosts that this machine gets its modules from.
func proxies(t *testing.T) []string {
	t.Helper()
	var hosts []string
	for entry := range strings.FieldsFuncSeq(string(run(t, nil, "go", "env", "GOPROXY", "GONOSUMDB", "GOSUMDB")), func(r rune) bool {
		return strings.ContainsRune(",| \n", r)
	}) {
		u, err := url.Parse(entry)
		if err == nil && u.Host != "" {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}

// A test that is left out where continuous integration runs is a hole.
func TestOnlyTheHelperSkips(t *testing.T) {
	skip := regexp.MustCompile(`\b\w+\.(Skip|Skipf|SkipNow)\(`)
	for _, path := range files(t, ".go") {
		if path == "internal/testkit/testkit.go" {
			continue
		}
		assert.Empty(t, skip.FindString(read(t, path)), "%s: use testkit.Lacking, which fails in CI", path)
	}
}

func TestErrorsDoNotSayFailedTo(t *testing.T) {
	vague := regexp.MustCompile(`(errors\.New|fmt\.Errorf)\("(failed|unable|could not|cannot|error)\b[^"]*`)
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/testkit/") {
			continue
		}
		assert.Empty(t, vague.FindString(read(t, path)), "%s: an error is verb and noun, \"open ring: %%w\"", path)
	}
}
