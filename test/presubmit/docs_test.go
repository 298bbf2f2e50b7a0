// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestChangelogBeginsWithUnreleased(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^## (.*)$`)
	m := heading.FindStringSubmatch(read(t, "CHANGELOG.md"))
	require.NotNil(t, m)
	assert.Equal(t, "Unreleased", m[1])
}

func TestDecisionsAreNumbered(t *testing.T) {
	entries, err := os.ReadDir(testkit.Root("docs", "adr"))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for i, e := range entries {
		assert.Regexp(t, fmt.Sprintf(`^%04d-[a-z0-9-]+\.md$`, i+1), e.Name())
		text := read(t, "docs/adr/"+e.Name())
		assert.True(t, strings.HasPrefix(text, fmt.Sprintf("# %d. ", i+1)), "%s: title", e.Name())
		for _, part := range []string{"\nStatus: ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"} {
			assert.Contains(t, text, part, e.Name())
		}
	}
}

func TestEveryDependencyIsExplained(t *testing.T) {
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal(run(t, nil, "go", "mod", "edit", "-json"), &mod))
	row := regexp.MustCompile("(?m)^\\| (`[^|]+) \\|")
	explained := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(read(t, "docs/dependencies.md"), -1) {
		for name := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return strings.ContainsRune("`, ", r) }) {
			explained[name] = true
		}
	}
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		assert.True(t, explained[r.Path], "docs/dependencies.md does not explain %s", r.Path)
		delete(explained, r.Path)
	}
	assert.Empty(t, explained, "docs/dependencies.md explains what go.mod does not require")
}

func TestMakeTargets(t *testing.T) {
	help := string(run(t, nil, "make", "--no-print-directory", "help"))
	for _, target := range []string{"run", "build", "test", "bench", "fuzz", "generate", "lint", "golden", "deps"} {
		assert.Regexp(t, `(?m)^  `+target+`\s+\S`, help)
		run(t, nil, "make", "--dry-run", target)
	}
}

func TestContinuousIntegrationRunsTheTests(t *testing.T) {
	info, err := os.Stat(testkit.Root(".ci", "run"))
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&0o111, ".ci/run is not executable")
	assert.Contains(t, read(t, ".ci/run"), "make test")
}
