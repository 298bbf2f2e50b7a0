// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// target is one fuzz test.
type target struct{ folder, name string }

func (t target) String() string { return t.folder + "." + t.name }

var declaration = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)

// find gives the targets that match, in the order of the patterns.
func find(patterns []string) ([]target, error) {
	all, err := findAll()
	if err != nil || len(patterns) == 0 {
		return all, err
	}
	var chosen []target
	for _, pattern := range patterns {
		expression, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		n := len(chosen)
		for _, t := range all {
			if expression.MatchString(t.String()) && !slices.Contains(chosen, t) {
				chosen = append(chosen, t)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("no target, or no other one, matches %q", pattern)
		}
	}
	return chosen, nil
}

func findAll() (all []target, err error) {
	for _, folder := range []string{"bpf", "exporter", "internal", "processor", "receiver"} {
		err := fs.WalkDir(os.DirFS("."), folder, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(file, "_test.go") {
				return err
			}
			source, err := os.ReadFile(file)
			for _, found := range declaration.FindAllSubmatch(source, -1) {
				all = append(all, target{path.Dir(file), string(found[1])})
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b target) int { return cmp.Compare(a.String(), b.String()) })
	return all, nil
}
