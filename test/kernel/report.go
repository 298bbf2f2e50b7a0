// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// mark begins the lines of the smoke test, among those of a kernel.
const mark = "smoke: "

// report is how a smoke test ended.
type report struct{ failed, ended bool }

// readReport shows the lines of a smoke test while they come.
func readReport(console io.Reader, out io.Writer) (r report) {
	lines := bufio.NewScanner(console)
	for lines.Scan() {
		_, line, ok := strings.Cut(strings.TrimRight(lines.Text(), "\r"), mark)
		switch {
		case !ok:
			continue
		case line == "end":
			r.ended = true
			continue
		case strings.HasPrefix(line, "FAIL"):
			r.failed = true
		}
		fmt.Fprintf(out, "  %s\n", line)
	}
	_, _ = io.Copy(io.Discard, console) // after a line that is too long
	return r
}
