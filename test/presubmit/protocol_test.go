// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

const registryFile = dissectFolder + "/registry/registry.go"

// overlay are files that the go command sees besides those of the repository, or instead
// of them.
type overlay struct {
	folder  string
	Replace map[string]string
}

func newOverlay(t *testing.T) *overlay {
	t.Helper()
	return &overlay{folder: t.TempDir(), Replace: map[string]string{}}
}

// add shows a file at a place in the repository.
func (o *overlay) add(t *testing.T, place, content string) {
	t.Helper()
	file := filepath.Join(o.folder, strings.ReplaceAll(place, "/", "_"))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	o.Replace[testkit.Root(place)] = file
}

// register adds a protocol's one line to the registry, and what gofmt's tools add to it:
// the import.
func (o *overlay) register(t *testing.T, protocol string) {
	t.Helper()
	source := read(t, registryFile)
	const list = "return []dissect.Dissector{\n"
	require.Contains(t, source, list)
	source = strings.Replace(source, list, list+protocol+".Dissector{},\n", 1)
	source = strings.Replace(source, "import (\n", "import (\n\t\""+module+"/"+dissectFolder+"/"+protocol+"\"\n", 1)
	o.add(t, registryFile, source)
}

// test runs go test with the overlay.
func (o *overlay) test(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	b, err := json.Marshal(o)
	require.NoError(t, err)
	file := filepath.Join(o.folder, "overlay.json")
	require.NoError(t, os.WriteFile(file, b, 0o644))
	// vet works in the packages' folders, and one of them is not there.
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-vet=off", "-overlay", file}, args...)...)
	cmd.Dir = testkit.Root()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAddingAProtocol adds a protocol with one folder and one line, and looks for it
// where every protocol has to show: in the configuration, on records, in metrics.
func TestAddingAProtocol(t *testing.T) {
	o := newOverlay(t)
	source := read(t, dissectFolder+"/dissecttest/line/line.go")
	source = strings.ReplaceAll(source, "package line // import \""+module+"/"+dissectFolder+"/dissecttest/line\"", "package dummy")
	source = strings.ReplaceAll(source, `d.Name = "line"`, `d.Name = "dummy"`)
	o.add(t, dissectFolder+"/dummy/dummy.go", source)
	o.register(t, "dummy")
	o.add(t, "receiver/networkreceiver/dummy_test.go", read(t, "test/presubmit/testdata/dummy_test.go.txt"))
	out, err := o.test(t, "-run", "^TestDummy$", "./receiver/networkreceiver")
	require.NoError(t, err, "%s", out)
	assert.Contains(t, out, "ok")
}

// TestSkeleton makes the folder of a new protocol: it builds, and its tests fail for want
// of fixtures.
func TestSkeleton(t *testing.T) {
	folder := t.TempDir()
	run(t, nil, "go", "run", "./internal/skeleton", "dummy", folder)
	o := newOverlay(t)
	entries, err := os.ReadDir(filepath.Join(folder, "dummy"))
	require.NoError(t, err)
	for _, e := range entries {
		if b, err := os.ReadFile(filepath.Join(folder, "dummy", e.Name())); err == nil {
			o.add(t, dissectFolder+"/dummy/"+e.Name(), string(b))
		}
	}
	o.register(t, "dummy")
	binary := filepath.Join(folder, "dummy.test")
	out, err := o.test(t, "-c", "-o", binary, "./"+dissectFolder+"/dummy")
	require.NoError(t, err, "the skeleton builds: %s", out)
	out, err = o.test(t, "-run", "^TestInfo$", "./"+dissectFolder+"/registry")
	require.NoError(t, err, "%s", out)
	tests := exec.CommandContext(t.Context(), binary)
	tests.Dir = filepath.Join(folder, "dummy")
	failed, err := tests.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(failed), "no fixture matches")
}
