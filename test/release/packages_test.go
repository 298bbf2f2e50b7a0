// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// modes are the files that a package installs.
var modes = map[string]os.FileMode{
	"/usr/bin/wirespan":                                   0o755,
	"/usr/lib/systemd/system/wirespan.service":            0o644,
	"/etc/wirespan/config.yaml":                           0o644,
	"/etc/wirespan/wirespan.conf":                         0o600,
	"/usr/share/doc/wirespan/examples/config-replay.yaml": 0o644,
	"/usr/share/doc/wirespan/copyright":                   0o644,
	"/usr/share/doc/wirespan/THIRD_PARTY_NOTICES":         0o644,
}

// installed looks at a root folder with a package in it.
func installed(t *testing.T, root string) {
	t.Helper()
	for path, mode := range modes {
		info, err := os.Stat(filepath.Join(root, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
	works(t, filepath.Join(root, "usr/bin/wirespan"), filepath.Join(root, "etc/wirespan/config.yaml"))
}

// The deb goes into a root of its own and out of it. Settings of the user's survive an
// upgrade and a removal; a purge takes them, and the queue.
func TestDeb(t *testing.T) {
	testkit.NeedRoot(t)
	root := newRoot(t)
	dpkg := func(args ...string) string {
		return run(t, "", "dpkg", append([]string{"--root=" + root, "--force-script-chrootless", "--force-not-root"}, args...)...)
	}
	deb := artefact(t, here(".deb"))
	dpkg("--install", deb)
	installed(t, root)
	assert.Contains(t, dpkg("--status", "wirespan"), "Status: install ok installed")

	settings := filepath.Join(root, "etc/wirespan/wirespan.conf")
	require.NoError(t, os.WriteFile(settings, []byte("mine"), 0o600))
	dpkg("--install", "--force-confdef", "--force-confold", deb)
	dpkg("--remove", "wirespan")
	assert.NoFileExists(t, filepath.Join(root, "usr/bin/wirespan"))
	text, err := os.ReadFile(settings)
	require.NoError(t, err)
	assert.Equal(t, "mine", string(text))
	dpkg("--purge", "wirespan")
	assert.NoFileExists(t, settings)
}

// newRoot is a root folder with the database that dpkg needs.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	return root
}

func TestRPM(t *testing.T) {
	testkit.NeedRoot(t)
	testkit.NeedProgram(t, "rpm")
	root := t.TempDir()
	rpm := artefact(t, here(".rpm"))
	run(t, "", "rpm", "--root="+root, "--install", "--nodeps", "--noscripts", "--ignorearch", rpm)
	installed(t, root)
	configurations := strings.Fields(run(t, "", "rpm", "--query", "--configfiles", "--package", rpm))
	assert.ElementsMatch(t, []string{"/etc/wirespan/config.yaml", "/etc/wirespan/wirespan.conf"}, configurations)
	run(t, "", "rpm", "--root="+root, "--verify", "--nodeps", "wirespan")
}
