// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// grace is what building, seeding and ending may take on a busy machine. An input
// that never ends takes longer.
const grace = 10 * time.Minute

// minimizeTries bounds how often it is tried to make an input smaller. The default
// of a minute for each of interest leaves no time for fuzzing where they are large.
const minimizeTries = "10x"

// outcome is what came of one target.
type outcome struct {
	executions, interesting int64
	elapsed                 time.Duration
	result                  string
}

const passed = "ok"

// progress is a line of the fuzzing engine.
var progress = regexp.MustCompile(`^fuzz: elapsed: (\S+), execs: (\d+) .*new interesting: (\d+) `)

// run fuzzes one target, in a process group of its own that has a bound.
func run(ctx context.Context, o *options, t target) (out outcome) {
	log, err := os.Create(filepath.Join(o.log, strings.ReplaceAll(t.String(), "/", "_")+".log"))
	if err != nil {
		return outcome{result: err.Error()}
	}
	defer log.Close()
	bounded, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(bounded, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$",
		"-fuzztime", o.time.String(), "-fuzzminimizetime", minimizeTries, "-parallel", strconv.Itoa(o.parallel), "./"+t.folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Stdout = io.MultiWriter(log, lines(out.read))
	cmd.Stderr = cmd.Stdout
	if err = cmd.Start(); err == nil {
		go expire(bounded, cancel, cmd.Process.Pid, o.time+grace)
		err = cmd.Wait()
	}
	switch {
	case err == nil && out.executions == 0:
		out.result = "TOO SHORT: nothing but the seeds ran"
	case err == nil:
		out.result = passed
	case ctx.Err() != nil:
		out.result = "interrupted"
	case bounded.Err() != nil:
		out.result = "HANGS, see " + log.Name()
	default:
		out.result = "FAILED, see " + log.Name()
	}
	return out
}

// expire cancels a run that goes on for longer than bound. Seconds in which it is
// stopped (SIGSTOP) do not count: that is no hang.
func expire(ctx context.Context, cancel context.CancelFunc, pid int, bound time.Duration) {
	const step = time.Second
	tick := time.NewTicker(step)
	defer tick.Stop()
	for left := bound; left > 0; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !stopped(pid) {
				left -= step
			}
		}
	}
	cancel()
}

// stopped reads the state in proc_pid_stat(5), which follows the name in brackets.
func stopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	i := bytes.LastIndexByte(stat, ')')
	return err == nil && i >= 0 && bytes.HasPrefix(stat[i+1:], []byte(" T"))
}

// read takes a line of progress.
func (out *outcome) read(line []byte) {
	if m := progress.FindSubmatch(line); m != nil {
		out.elapsed, _ = time.ParseDuration(string(m[1]))
		out.executions, _ = strconv.ParseInt(string(m[2]), 10, 64)
		out.interesting, _ = strconv.ParseInt(string(m[3]), 10, 64)
	}
}

// lines makes a writer that calls take for each whole line.
func lines(take func(line []byte)) io.Writer {
	return &lineWriter{take: take}
}

type lineWriter struct {
	take func([]byte)
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		w.take(line)
		w.rest = rest
	}
}

// table prints the outcomes as Markdown and tells whether all targets passed.
func table(w io.Writer, targets []target, outcomes []outcome) (ok bool) {
	var errs []error
	var executions int64
	ok = true
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format, args...)
		errs = append(errs, err)
	}
	say("| Target | Executions | New interesting inputs | Seconds | Result |\n| --- | --- | --- | --- | --- |\n")
	for i, t := range targets {
		o := outcomes[i]
		say("| `%v` | %s | %d | %.0f | %s |\n", t, grouped(o.executions), o.interesting, o.elapsed.Seconds(), o.result)
		executions += o.executions
		ok = ok && o.result == passed
	}
	say("| %d targets | %s | | | |\n", len(targets), grouped(executions))
	return ok && errors.Join(errs...) == nil
}

// grouped writes a number with a comma between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
