// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package release

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// artefact is the path of a file of the release, by the end of its name.
func artefact(t *testing.T, end string) string {
	t.Helper()
	found, err := filepath.Glob(testkit.Root("build", "release", "*"+end))
	require.NoError(t, err)
	require.Len(t, found, 1, "make release packs *%s", end)
	path, err := filepath.Abs(found[0])
	require.NoError(t, err)
	return path
}

func here(end string) string { return "_linux_" + runtime.GOARCH + end }

func run(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %v: %s", program, args, out)
	return string(out)
}

// version is that of the builder manifest.
func version(t *testing.T) string {
	t.Helper()
	manifest, err := os.ReadFile(testkit.Root("builder-config.yaml"))
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^  version: (\S+)$`).FindSubmatch(manifest)
	require.NotNil(t, m)
	return string(m[1])
}

// works runs a program that was installed: it is the release's, and it takes the
// configuration that came with it.
func works(t *testing.T, program, config string) {
	t.Helper()
	assert.Equal(t, "wirespan version "+version(t)+"\n", run(t, "", program, "--version"))
	run(t, "", program, "validate", "--config="+config)
}

func TestChecksums(t *testing.T) {
	sums := artefact(t, "_checksums.txt")
	run(t, filepath.Dir(sums), "sha256sum", "--check", "--strict", sums)
	text, err := os.ReadFile(sums)
	require.NoError(t, err)
	files, err := os.ReadDir(filepath.Dir(sums))
	require.NoError(t, err)
	assert.Equal(t, len(files)-1, strings.Count(string(text), "\n"), "each file but the checksums has one")
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	archive := artefact(t, here(".tar.gz"))
	run(t, dir, "tar", "xzf", archive)
	folder := filepath.Join(dir, strings.TrimSuffix(filepath.Base(archive), ".tar.gz"))
	works(t, filepath.Join(folder, "wirespan"), filepath.Join(folder, "config-otlp.yaml"))
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "wirespan.service", "wirespan.conf"} {
		assert.FileExists(t, filepath.Join(folder, name))
	}

	capture := filepath.Join(dir, "one.pcap")
	testkit.WritePcap(t, capture, []string{"GET /from-the-archive HTTP/1.1\r\nHost: shop.example\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"})
	out := testkit.Run(t, testkit.Program{
		Path: filepath.Join(folder, "wirespan"), Args: []string{"--config=" + filepath.Join(folder, "config-replay.yaml")}, Env: []string{"WIRESPAN_PCAP=" + capture},
	})
	assert.Contains(t, out, "/from-the-archive")
}

// Each module that is in the program has its licence in the notices.
func TestNotices(t *testing.T) {
	dir := t.TempDir()
	run(t, dir, "tar", "xzf", artefact(t, here(".tar.gz")), "--strip-components=1")
	notices, err := os.ReadFile(filepath.Join(dir, "THIRD_PARTY_NOTICES"))
	require.NoError(t, err)
	modules := regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(v\S+)\t`).FindAllStringSubmatch(run(t, "", "go", "version", "-m", filepath.Join(dir, "wirespan")), -1)
	assert.Greater(t, len(modules), 100)
	for _, m := range modules {
		assert.Contains(t, string(notices), "\n==== "+m[1]+"@"+m[2]+": ")
	}
}

func TestSBOM(t *testing.T) {
	text, err := os.ReadFile(artefact(t, here(".cdx.json")))
	require.NoError(t, err)
	var bom struct {
		BomFormat  string
		Metadata   struct{ Component struct{ Version string } }
		Components []struct{ Name, Version, PURL string }
	}
	require.NoError(t, json.Unmarshal(text, &bom))
	assert.Equal(t, "CycloneDX", bom.BomFormat)
	assert.Equal(t, "v"+version(t), bom.Metadata.Component.Version)
	listed := map[string]bool{}
	for _, c := range bom.Components {
		assert.Equal(t, "pkg:golang/", c.PURL[:min(len(c.PURL), 11)], c.Name)
		listed[c.Name] = true
	}
	assert.NotContains(t, string(text), "../")
	for _, module := range []string{"github.com/wirespan/wirespan", "github.com/cilium/ebpf", "go.opentelemetry.io/collector/otelcol"} {
		assert.True(t, listed[module], module)
	}
}

// The image is for both architectures or for those that were built; containerd takes it.
func TestImage(t *testing.T) {
	testkit.NeedRoot(t)
	name := "ghcr.io/wirespan/wirespan:" + version(t)
	out := testkit.RunImage(t, artefact(t, "_image.tar"), name, []string{"/wirespan", "--version"}, []string{"/wirespan", "validate", "--config=/etc/wirespan/config-otlp.yaml"})
	assert.Equal(t, "wirespan version "+version(t)+"\n", out[0])
}
