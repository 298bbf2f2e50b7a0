// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// fileName is where the figures are committed.
const fileName = "cost.txt"

const fileHead = `# What the programs cost; compared and written by make verifier-cost.
# amd64, arm64: instructions in the committed objects, called functions included.
# verified, peak_states: what a verifier (Linux %s, every filter in use) went through; its limit is %d.
`

var majorMinor = regexp.MustCompile(`^\d+\.\d+`)

// entry is one line of the file.
type entry struct {
	size
	verified, peakStates int
}

func readFile(path string) (map[string]entry, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read committed cost: %w", err)
	}
	all := map[string]entry{}
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "program ") {
			continue
		}
		var name string
		var e entry
		if _, err := fmt.Sscan(line, &name, &e.amd64, &e.arm64, &e.verified, &e.peakStates); err != nil {
			return nil, fmt.Errorf("read line %q of %s: %w", line, path, err)
		}
		all[name] = e
	}
	return all, nil
}

func writeFile(path string, sizes map[string]size, loads loads) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, fileHead, majorMinor.FindString(loads.kernel), verifierLimit)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\tamd64\tarm64\tverified\tpeak_states")
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		s, l := sizes[name], loads.filtered[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", name, s.amd64, s.arm64, l.verified, l.peakStates)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
