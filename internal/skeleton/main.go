// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command skeleton writes the folder of a new protocol, which builds and whose tests fail
// until it is filled.
//
//	skeleton NAME DISSECT_FOLDER
package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed template
var templates embed.FS

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: skeleton NAME DISSECT_FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "skeleton:", err)
		os.Exit(1)
	}
}

// name is that of a Go package, and of network.protocol.name.
var name = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// write makes the folder of a protocol below the folder of the dissectors. A folder that
// is there already stays as it is.
func write(protocol, dissectors string) error {
	if !name.MatchString(protocol) {
		return fmt.Errorf("name %q must be lower-case letters and digits", protocol)
	}
	folder := filepath.Join(dissectors, protocol)
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("create %s: it is there already", folder)
	}
	if err := os.MkdirAll(filepath.Join(folder, "testdata"), 0o755); err != nil {
		return fmt.Errorf("create folder: %w", err)
	}
	parsed, err := template.ParseFS(templates, "template/*.tmpl")
	if err != nil {
		return fmt.Errorf("parse templates: %w", err)
	}
	for _, t := range parsed.Templates() {
		if err := execute(t, protocol, folder); err != nil {
			return err
		}
	}
	fmt.Printf("%s is there; what is left:\n  add %s.Dissector{} to dissect/registry/registry.go\n  docs/adding-a-protocol.md says the rest\n", folder, protocol)
	return nil
}

func execute(t *template.Template, protocol, folder string) error {
	file := strings.ReplaceAll(strings.TrimSuffix(t.Name(), ".tmpl"), "protocol.go", protocol+".go")
	f, err := os.Create(filepath.Join(folder, file))
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	return errors.Join(t.Execute(f, map[string]string{"Name": protocol}), f.Close())
}
