// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// PauseImage is what keeps the namespaces of each pod. A test has to import it.
const PauseImage = "wirespan.test/pause:1"

// Image is an image with one layer: static programs, and no system around them.
type Image struct {
	Name       string
	Files      map[string]string // from a path without the first slash to the file that has its content
	Entrypoint []string
	User       string // "" for root
}

// Import makes images known to the node, without a registry.
func (c *Cluster) Import(images ...Image) {
	c.t.Helper()
	address := filepath.Join(c.Dir, socket)
	for _, image := range images {
		path := filepath.Join(c.Dir, "image.tar")
		image.write(c.t, path)
		testkit.Run(c.t, testkit.Program{
			Path: testkit.NeedProgram(c.t, "ctr"), Args: []string{"--address", address, "--namespace", "k8s.io", "images", "import", path},
		})
		require.NoError(c.t, os.Remove(path))
	}
}

// write writes an image as `docker save` does.
func (i Image) write(t testing.TB, path string) {
	t.Helper()
	layer := path + ".layer"
	sum := writeTar(t, layer, func(w *tar.Writer) {
		for name, source := range i.Files {
			addFile(t, w, name, source)
		}
	})
	defer os.Remove(layer)
	config := i.encode(t, map[string]any{
		"architecture": "amd64", "os": "linux",
		"config": map[string]any{"Entrypoint": i.Entrypoint, "User": i.User},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + sum}},
	})
	manifest := i.encode(t, []map[string]any{{"Config": "config.json", "RepoTags": []string{i.Name}, "Layers": []string{"layer.tar"}}})
	writeTar(t, path, func(w *tar.Writer) {
		addBytes(t, w, "config.json", config)
		addBytes(t, w, "manifest.json", manifest)
		addFile(t, w, "layer.tar", layer)
	})
}

func (i Image) encode(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return text
}

func writeTar(t testing.TB, path string, fill func(*tar.Writer)) (sum string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	hash := sha256.New()
	w := tar.NewWriter(io.MultiWriter(f, hash))
	fill(w)
	require.NoError(t, w.Close())
	return hex.EncodeToString(hash.Sum(nil))
}

func addFile(t testing.TB, w *tar.Writer, name, source string) {
	t.Helper()
	f, err := os.Open(source)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: info.Size(), ModTime: time.Unix(0, 0)}))
	_, err = io.Copy(w, f)
	require.NoError(t, err)
}

func addBytes(t testing.TB, w *tar.Writer, name string, content []byte) {
	t.Helper()
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
	_, err := w.Write(content)
	require.NoError(t, err)
}
