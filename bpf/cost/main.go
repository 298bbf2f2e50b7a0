// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

// Cost prints what the programs in the kernel cost: the instructions of each in
// the committed objects, and how many the verifier of the running kernel goes
// through to accept it. It compares both with cost.txt: the first must be equal,
// the second depends on the kernel and is shown beside it. Loading needs root.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	dir := flag.String("dir", "bpf", "folder of the objects and of "+fileName)
	update := flag.Bool("update", false, "write "+fileName+" anew")
	flag.Parse()
	if err := run(os.Stdout, *dir, *update); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out io.Writer, dir string, update bool) error {
	sizes, err := countAll(dir)
	if err != nil {
		return err
	}
	loads, err := verifyAll(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, fileName)
	if update {
		return writeFile(path, sizes, loads)
	}
	committed, err := readFile(path)
	if err != nil {
		return err
	}
	if err := show(out, sizes, loads, committed); err != nil {
		return err
	}
	return compare(sizes, committed)
}

// show prints a table with what is committed in brackets.
func show(out io.Writer, sizes map[string]size, loads loads, committed map[string]entry) error {
	fmt.Fprintf(out, "Linux %s; in brackets: committed\n", loads.kernel)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "program\tamd64\tarm64\tverified\tof limit\tpeak states\tstack\twithout filters")
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		s, l, c := sizes[name], loads.filtered[name], committed[name]
		fmt.Fprintf(w, "%s\t%d [%d]\t%d [%d]\t%d [%d]\t%.1f %%\t%d [%d]\t%s\t%d\n", name, s.amd64, c.amd64, s.arm64, c.arm64,
			l.verified, c.verified, 100*float64(l.verified)/verifierLimit, l.peakStates, c.peakStates, l.stack, loads.plain[name].verified)
	}
	return w.Flush()
}

// compare tells where the objects differ from what is committed.
func compare(sizes map[string]size, committed map[string]entry) error {
	var differences []string
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if s, c := sizes[name], committed[name].size; s != c {
			differences = append(differences, fmt.Sprintf("%s has %d (amd64) and %d (arm64) instructions, %s says %d and %d",
				name, s.amd64, s.arm64, fileName, c.amd64, c.arm64))
		}
	}
	for name := range committed {
		if _, ok := sizes[name]; !ok {
			differences = append(differences, fmt.Sprintf("%s is in %s only", name, fileName))
		}
	}
	if len(differences) == 0 {
		return nil
	}
	return errors.New(strings.Join(append(differences, "if that is meant: make verifier-cost UPDATE=1"), "\n"))
}
