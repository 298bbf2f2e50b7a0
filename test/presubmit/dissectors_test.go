// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
)

const dissectFolder = "receiver/networkreceiver/dissect"

// notDissectors are the folders below dissect, and below dissect/application, that are
// not a protocol.
var notDissectors = []string{"application", "dialogue", "dissecttest", "wire", "engine", "httpmessage", "preface", "registry", "jsonvalue", "protobuf", "testdata"}

func protocolFolders(t *testing.T) []string {
	t.Helper()
	return foldersIn(t, "")
}

// describedFolders are those of all protocols: dissectors, and what HTTP carries.
func describedFolders(t *testing.T) []string {
	t.Helper()
	return append(protocolFolders(t), foldersIn(t, "application/")...)
}

func foldersIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(testkit.Root(dissectFolder, folder))
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notDissectors, e.Name()) {
			names = append(names, folder+e.Name())
		}
	}
	return names
}

// A protocol that has more than one transport has a dissector for each.
func TestEveryProtocolIsRegistered(t *testing.T) {
	var registered []string
	for _, d := range registry.All() {
		if name := d.Info().Name; !slices.Contains(registered, name) {
			registered = append(registered, name)
		}
	}
	assert.ElementsMatch(t, protocolFolders(t), registered, "folders of %s and names in its registry", dissectFolder)
}

func TestEveryProtocolHasLimits(t *testing.T) {
	for _, d := range registry.All() {
		info := d.Info()
		assert.Positive(t, info.ProbeBytes, info.Name)
		assert.Positive(t, info.Limits.HeaderBytes, info.Name)
		assert.Positive(t, info.Limits.BodyBytes, info.Name)
		assert.Positive(t, info.Limits.Outstanding, info.Name)
		assert.Positive(t, info.Limits.Age, info.Name)
	}
}

func TestEveryProtocolHasItsSections(t *testing.T) {
	for _, name := range describedFolders(t) {
		text := read(t, filepath.Join(dissectFolder, name, "README.md"))
		for _, section := range []string{"What is seen", "What is not", "Pairing", "Limits", "Fixtures", "Spec link"} {
			assert.Regexp(t, `(?m)^## `+section+`$`, text, "%s/README.md has no section %q", name, section)
		}
		assert.Contains(t, read(t, "README.md"), dissectFolder+"/"+name+"/README.md", "the table of protocols lacks %s", name)
	}
}

func TestEveryProtocolHasFixtures(t *testing.T) {
	for _, name := range describedFolders(t) {
		fixtures, err := filepath.Glob(testkit.Root(dissectFolder, name, "testdata", "*"))
		require.NoError(t, err)
		assert.NotEmpty(t, fixtures, "%s/testdata", name)
	}
}
