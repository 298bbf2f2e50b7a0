// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// loadPrograms loads each program and says what that costs on this kernel.
func loadPrograms(ctx context.Context, dir string) (string, error) {
	out, err := command(ctx, filepath.Join(dir, "verifier-cost"), "-dir", dir).CombinedOutput()
	return string(out), err
}

// captureTests are tests of the capture that need nothing but the kernel.
var captureTests = []string{
	"TestHTTPExchange", // over IPv4 and IPv6, with owners
	"TestUDP",
	"TestSuperPackets", // whole packets of up to 64 KiB
	"TestOwnTraffic",   // is not captured
	"TestSocketsFromBefore",
	"TestProcessInContainerCgroup",
	"TestLossIsCounted",
	"TestCloseIsIdempotentAndLeavesNothing",
	"TestStartLeavesNothingOnError",
}

// testCapture runs tests of the capture that were compiled for it.
func testCapture(ctx context.Context, dir string) (string, error) {
	run := "^(" + strings.Join(captureTests, "|") + ")$"
	c := command(ctx, filepath.Join(dir, "ebpf.test"), "-test.v", "-test.count=1", "-test.run", run)
	c.Dir = "/tmp"
	out, err := c.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	var results []string
	for line := range strings.Lines(string(out)) {
		if result, ok := strings.CutPrefix(line, "--- "); ok {
			results = append(results, strings.TrimSpace(result))
		}
	}
	passed := strings.Count("\n"+strings.Join(results, "\n"), "\nPASS: ")
	if passed != len(captureTests) {
		return string(out), fmt.Errorf("%d of %d tests passed", passed, len(captureTests))
	}
	if strings.Contains(string(out), "--- SKIP") {
		return string(out), errors.New("a test was skipped")
	}
	return strings.Join(results, "\n"), nil
}
