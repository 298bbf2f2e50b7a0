// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// capturePackage has the tests that are part of the smoke test.
const capturePackage = "./receiver/networkreceiver/capture/ebpf"

// makePayload fills a folder with what the smoke test needs: programs without
// libraries, and links to what there is already, among it one program with libraries.
func makePayload(ctx context.Context, dir string) (string, error) {
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, build := range [][]string{
		{"build", "-o", filepath.Join(dir, "smoke"), "./test/kernel/smoke"},
		{"build", "-o", filepath.Join(dir, "verifier-cost"), "./bpf/cost"},
		{"build", "-o", filepath.Join(dir, "tlspeer"), "./internal/testkit/tlspeer/golang"},
		{"test", "-c", "-o", filepath.Join(dir, "ebpf.test"), capturePackage},
	} {
		c := exec.CommandContext(ctx, "go", build...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", build[len(build)-1], err, out)
		}
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return "", errors.New("there is no busybox: install busybox-static")
	}
	for name, file := range map[string]string{
		"busybox":               busybox,
		"wirespan":              "bin/wirespan",
		"config.yaml":           "distributions/wirespan/config.yaml",
		"cost.txt":              "bpf/cost.txt",
		"capture_x86_bpfel.o":   "bpf/capture_x86_bpfel.o",
		"tls_x86_bpfel.o":       "bpf/tls_x86_bpfel.o",
		"capture_arm64_bpfel.o": "bpf/capture_arm64_bpfel.o",
		"tls_arm64_bpfel.o":     "bpf/tls_arm64_bpfel.o",
	} {
		if err := link(file, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	return dir, linkProgram(ctx, "openssl", dir)
}

// linkProgram makes links to a program that is installed and to all its libraries, the
// dynamic linker among them.
func linkProgram(ctx context.Context, name, dir string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	out, err := exec.CommandContext(ctx, "ldd", path).Output()
	if err != nil {
		return fmt.Errorf("list libraries of %s: %w", name, err)
	}
	all := []error{link(path, filepath.Join(dir, name))}
	for library := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(library, "/") {
			all = append(all, link(library, filepath.Join(dir, filepath.Base(library))))
		}
	}
	return errors.Join(all...)
}

func link(file, name string) error {
	target, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if _, err := os.Stat(target); err != nil {
		return fmt.Errorf("find %s (make build makes the collector): %w", file, err)
	}
	return os.Symlink(target, name)
}
