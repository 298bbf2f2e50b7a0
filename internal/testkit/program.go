// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Program says how to run a program.
type Program struct {
	Path   string
	Args   []string
	Env    []string // added to the environment of the test
	Dir    string
	Addr   string   // wait until something listens here; empty to wait for nothing
	NetNS  string   // named network namespace to run in
	Cgroup *Cgroup  // control group to start in
	Stdin  *os.File // nil for none
	UID    int      // user to run as, 0 for the test's own
	// Telling is set for programs whose output explains a failed test.
	Telling bool
}

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	output string
	done   chan struct{}
	state  *os.ProcessState // valid after done
}

var processes atomic.Int64

// Start runs a program until the test ends, and waits until it is ready.
func Start(t testing.TB, p Program) *Process {
	t.Helper()
	cmd := p.command()
	output := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d.log", filepath.Base(p.Path), processes.Add(1)))
	out, err := os.Create(output)
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())

	run := &Process{t: t, cmd: cmd, output: output, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		run.state = cmd.ProcessState
		close(run.done)
	}()
	t.Cleanup(run.Stop)
	t.Cleanup(func() {
		if t.Failed() && (p.Telling || run.Exited() && run.state.ExitCode() != 0) {
			t.Logf("output of %s:\n%s", filepath.Base(p.Path), tail(run.Output(), 3<<10))
		}
	})
	if p.Addr != "" {
		run.waitListening(p)
	}
	return run
}

// Run runs a program to its end and gives its output.
func Run(t testing.TB, p Program) string {
	t.Helper()
	run := Start(t, p)
	code := run.Wait(2 * Patience)
	require.Zero(t, code, "%s %v: %s", p.Path, p.Args, run.Output())
	return run.Output()
}

func (p Program) command() *exec.Cmd {
	path, args := p.Path, p.Args
	if p.NetNS != "" {
		// Not ip netns exec, which hides the cgroups from a collector.
		path, args = "nsenter", append([]string{"--net=/run/netns/" + p.NetNS, "--", p.Path}, p.Args...)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), p.Env...)
	if p.Stdin != nil {
		cmd.Stdin = p.Stdin
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: 0, Setpgid: true}
	if p.Cgroup != nil {
		cmd.SysProcAttr.UseCgroupFD = true
		cmd.SysProcAttr.CgroupFD = int(p.Cgroup.dir.Fd())
	}
	if p.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(p.UID), Gid: uint32(p.UID)}
	}
	return cmd
}

func (r *Process) waitListening(p Program) {
	r.t.Helper()
	Eventually(r.t, p.Path+" listening on "+p.Addr, func() bool {
		if r.Exited() {
			require.FailNow(r.t, "ended before it was ready", "%s: %s", p.Path, r.Output())
		}
		return listening(p.NetNS, p.Addr)
	})
}

// listening looks at the kernel's list of sockets, so that no connection is made
// that the test would have to explain.
func listening(netns, addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	args := []string{"-Htln", "sport", "=", ":" + port}
	if netns != "" {
		args = append([]string{"-N", netns}, args...)
	}
	out, err := exec.Command("ss", args...).Output()
	_ = host
	return err == nil && len(strings.TrimSpace(string(out))) > 0
}

// PID is the process id.
func (r *Process) PID() int { return r.cmd.Process.Pid }

// Output is what the program has written so far.
func (r *Process) Output() string {
	b, _ := os.ReadFile(r.output)
	return string(b)
}

// Exited reports whether the program has ended.
func (r *Process) Exited() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Signal sends a signal to the program.
func (r *Process) Signal(sig os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(sig); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(r.t, err)
	}
}

// Wait waits for the program's end and gives its exit status (-1 if a signal
// ended it).
func (r *Process) Wait(bound time.Duration) int {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(bound):
		r.kill()
		require.FailNow(r.t, "did not end", "%s within %s: %s", r.cmd.Path, bound, tail(r.Output(), 4<<10))
	}
	return r.state.ExitCode()
}

// Stop ends the program and whatever it has started.
func (r *Process) Stop() {
	if !r.Exited() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-r.done:
		case <-time.After(10 * time.Second):
		}
	}
	r.kill()
	<-r.done
}

// kill ends the program's process group, which nothing else belongs to.
func (r *Process) kill() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }

// Children are the process ids of the program's direct children.
func (r *Process) Children() []int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.PID()))
	var pids []int
	for _, task := range tasks {
		b, _ := os.ReadFile(task)
		for field := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

func tail(s string, n int) string {
	if len(s) > n {
		return "… " + s[len(s)-n:]
	}
	return s
}

// Sent is how many bytes a process has sent over its TCP connections and the
// other ends have acknowledged.
func Sent(pid int) int {
	out, err := exec.Command("ss", "-Htnpi").Output()
	if err != nil {
		return 0
	}
	sent := 0
	mine := false
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "users:") {
			mine = strings.Contains(line, fmt.Sprintf("pid=%d,", pid))
		}
		if _, rest, found := strings.Cut(line, "bytes_acked:"); found && mine {
			n, _ := strconv.Atoi(strings.Fields(rest)[0])
			sent += n
		}
	}
	return sent
}
