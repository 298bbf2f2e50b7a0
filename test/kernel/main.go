// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Kernel runs the smoke test of ./smoke on the running kernel and, emulated by
// qemu, on kernels of Debian: those that its arguments name ("running", "6.1",
// "6.12"; these three if there are none). It needs bin/wirespan, a static
// busybox, openssl and, for the others, qemu-system-x86_64 and Debian's package tools.
// It installs nothing; what it fetches and builds is in build/kernel.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// limit bounds one kernel's test. Emulation is some thirty times slower than
// the machine.
const limit = 10 * time.Minute

// running names the kernel that is not emulated.
const running = "running"

func main() {
	// A child is told to end with the thread that started it: this one.
	runtime.LockOSThread()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	kernels := os.Args[1:]
	if len(kernels) == 0 {
		kernels = []string{running, "6.1", "6.12"}
	}
	ok, err := testAll(ctx, kernels)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func testAll(ctx context.Context, kernels []string) (bool, error) {
	dir, err := filepath.Abs(filepath.Join("build", "kernel"))
	if err != nil {
		return false, err
	}
	payload, err := makePayload(ctx, filepath.Join(dir, "payload"))
	if err != nil {
		return false, err
	}
	all := true
	for _, kernel := range kernels {
		fmt.Printf("%s\n", kernel)
		began := time.Now()
		ok, err := test(ctx, kernel, dir, payload)
		if err != nil {
			return false, fmt.Errorf("kernel %s: %w", kernel, err)
		}
		all = all && ok
		fmt.Printf("  %s after %.0f s\n", map[bool]string{true: "passed", false: "FAILED"}[ok], time.Since(began).Seconds())
	}
	return all, nil
}

func test(ctx context.Context, kernel, dir, payload string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if kernel == running {
		return runHere(ctx, payload)
	}
	image, err := fetch(ctx, kernel, filepath.Join(dir, kernel))
	if err != nil {
		return false, err
	}
	return emulate(ctx, image, dir, payload)
}
