// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command image packs the container image that the Dockerfile describes, for several
// architectures and without a daemon: an OCI layout in a tar file, which
// `ctr images import`, `docker load` and `skopeo copy oci-archive:` read.
//
//	image -dockerfile FILE -certificates FILE -name NAME -output FILE ARCH=FOLDER...
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run() error {
	dockerfile := flag.String("dockerfile", "", "what the image is like: USER, ENV, ENTRYPOINT and CMD are read")
	certificates := flag.String("certificates", "", "file of trusted certificates")
	name := flag.String("name", "", "name and tag of the image")
	output := flag.String("output", "", "tar file")
	flag.Parse()
	config, err := readDockerfile(*dockerfile)
	if err != nil {
		return fmt.Errorf("read Dockerfile: %w", err)
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arg := range flag.Args() {
		arch, folder, found := strings.Cut(arg, "=")
		if !found {
			return errors.New("want ARCH=FOLDER, got " + arg)
		}
		all, err := files(folder, *certificates)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		image, err := build(config, arch, all)
		if err != nil {
			return fmt.Errorf("build image for %s: %w", arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return write(index, *name, *output)
}

// files are the files of the image, by their place in it.
func files(folder, certificates string) (map[string]string, error) {
	all := map[string]string{
		"wirespan":                                        folder + "/wirespan",
		"etc/ssl/certs/ca-certificates.crt":               certificates,
		"usr/share/licenses/wirespan/LICENSE":             folder + "/LICENSE",
		"usr/share/licenses/wirespan/THIRD_PARTY_NOTICES": folder + "/THIRD_PARTY_NOTICES",
	}
	configurations, err := filepath.Glob(folder + "/config*.yaml")
	for _, path := range configurations {
		all["etc/wirespan/"+filepath.Base(path)] = path
	}
	return all, err
}

// build makes an image of one layer.
func build(config v1.Config, arch string, files map[string]string) (v1.Image, error) {
	layer, err := layerOf(files)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config, file.Created = "linux", arch, config, v1.Time{Time: created()}
	return mutate.ConfigFile(image, file)
}

// write puts the index into a layout, and the layout into a tar file.
func write(index v1.ImageIndex, name, output string) error {
	dir, err := os.MkdirTemp("", "wirespan-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	err = path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          name,
		"org.opencontainers.image.ref.name": name[strings.LastIndexByte(name, ':')+1:],
	}))
	if err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	return archive(dir, output)
}
