// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Smoke tries on the kernel that it runs on what has to work on every supported
// one, and says of each thing whether it did. As the first process of a kernel
// it makes itself a system before, and switches the machine off afterwards.
// Its argument is the folder of the programs; see makePayload in ../payload.go.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stepLimit bounds each step; an emulated machine is slow.
const stepLimit = 4 * time.Minute

type step struct {
	name string
	run  func(ctx context.Context, dir string) (detail string, err error)
}

var steps = []step{
	{"verifier takes the programs", loadPrograms},
	{"capture", testCapture},
	{"collector", runCollector},
	{"encrypted connections", runEncrypted},
}

func main() {
	first := os.Getpid() == 1
	dir := "/payload"
	if first {
		if err := makeSystem(); err != nil {
			say("FAIL", "system", err.Error())
		}
	} else {
		dir = os.Args[1]
	}
	runtime.LockOSThread() // children end with the thread that started them
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok := runAll(ctx, dir)
	stop()
	fmt.Println("smoke: end")
	switch {
	case first:
		unix.Sync()
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	case !ok:
		os.Exit(1)
	}
}

func runAll(ctx context.Context, dir string) bool {
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		say("on", "Linux "+unix.ByteSliceToString(name.Release[:]), "")
	}
	ok := true
	for _, s := range steps {
		ctx, cancel := context.WithTimeout(ctx, stepLimit)
		began := time.Now()
		detail, err := s.run(ctx, dir)
		cancel()
		took := fmt.Sprintf("%s (%.1f s)", s.name, time.Since(began).Seconds())
		if err != nil {
			ok = false
			say("FAIL", took, strings.TrimSpace(detail+"\n"+err.Error()))
			continue
		}
		say("ok", took, detail)
	}
	return ok
}

// say prints a line, and under it the lines of detail.
func say(verdict, what, detail string) {
	fmt.Printf("smoke: %-5s %s\n", verdict, what)
	for line := range strings.Lines(detail) {
		fmt.Printf("smoke:         %s\n", strings.TrimRight(line, "\n"))
	}
}
