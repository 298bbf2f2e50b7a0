// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/wirespan/wirespan/bpf"
)

// managed is a Manager that does only what a test tells it, at the time that it tells.
type managed struct {
	*Manager
	t   testing.TB
	log *observer.ObservedLogs
	now time.Time
}

func manage(t testing.TB) *managed {
	t.Helper()
	spec, err := bpf.LoadTLS()
	require.NoError(t, err)
	multi := features.HaveBPFLinkUprobeMulti() == nil
	for _, p := range spec.Programs {
		if multi && p.Type == ebpf.Kprobe {
			p.AttachType = ebpf.AttachTraceUprobeMulti
		}
	}
	var o bpf.TLSObjects
	require.NoError(t, spec.LoadAndAssign(&o, nil))
	core, log := observer.New(zap.InfoLevel)
	m := New(Programs{
		LibraryEnter: o.LibraryEnter, LibraryReturn: o.LibraryReturn, LibraryForget: o.LibraryForget,
		GoHandshake: o.GoHandshake, GoEnter: o.GoEnter, GoReturn: o.GoReturn, GoCopy: o.GoCopy, Multi: multi,
	}, Maps{Events: o.TlsEvents, Coverage: o.TlsCoverage, Verdicts: o.TlsVerdicts}, programOf, zap.New(core), new(Stats))
	t.Cleanup(func() {
		assert.NoError(t, m.Close())
		assert.NoError(t, o.Close())
	})
	return &managed{m, t, log, time.Now()}
}

// programOf names a process as a test wants.
func programOf(key *bpf.CaptureProcessKey) string { return programNames[key.Pid] }

var programNames = map[uint32]string{}

func (m *managed) tell(kind uint64, pid int) {
	m.take(&bpf.CaptureEvent{Kind: kind, Process: bpf.CaptureProcessKey{Pid: uint32(pid)}}, m.now)
}

// probed lists the files below a folder that have probes.
func (m *managed) probed(dir string) (paths []string) {
	for _, f := range m.files.byID {
		if f.links != nil && strings.HasPrefix(f.path, dir) {
			paths = append(paths, strings.TrimPrefix(f.path, dir+"/"))
		}
	}
	slices.Sort(paths)
	return paths
}

func (m *managed) sleep(d time.Duration) { m.now = m.now.Add(d) }

// library is a folder with a copy of OpenSSL's library.
func library(t testing.TB) (dir, path string) {
	t.Helper()
	all := installedLibraries()
	i := slices.IndexFunc(all, func(p string) bool { return strings.HasPrefix(filepath.Base(p), "libssl.so.") })
	require.NotEqual(t, -1, i, "libssl is not installed")
	dir = t.TempDir()
	path = filepath.Join(dir, filepath.Base(all[i]))
	copyFile(t, all[i], path)
	return dir, path
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, b, 0o755))
}

// user is a process that can load the library in a folder.
type user struct {
	*exec.Cmd
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

func startUser(t testing.TB, dir, code string) *user {
	t.Helper()
	u := &user{Cmd: exec.Command("/usr/bin/python3", "-c", code), t: t}
	u.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir)
	u.Stderr = os.Stderr
	var err error
	u.in, err = u.StdinPipe()
	require.NoError(t, err)
	out, err := u.StdoutPipe()
	require.NoError(t, err)
	u.out = bufio.NewReader(out)
	require.NoError(t, u.Start())
	t.Cleanup(u.end)
	u.await()
	return u
}

// await waits until the process says that it has come to a point.
func (u *user) await() {
	u.t.Helper()
	_, err := u.out.ReadString('\n')
	require.NoError(u.t, err)
}

// goOn lets it go on.
func (u *user) goOn() {
	_, err := u.in.Write([]byte("\n"))
	require.NoError(u.t, err)
}

func (u *user) end() {
	if u.ProcessState == nil {
		_ = u.in.Close()
		_ = u.Wait()
	}
}

const (
	usesLibrary = `import ssl, sys; print(flush=True); sys.stdin.read()`
	loadsLate   = `
import sys
print(flush=True); sys.stdin.readline()
import ssl
print(flush=True); sys.stdin.read()`
)

func descriptors(t testing.TB) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(all)
}

// Probes stay for as long as a process uses the file, and a while longer. Nothing of them
// is left then.
func TestUnusedProbesGoAway(t *testing.T) {
	m := manage(t)
	dir, path := library(t)
	u := startUser(t, dir, usesLibrary)
	before := descriptors(t)
	m.look(u.Process.Pid, m.now)
	require.Equal(t, []string{filepath.Base(path)}, m.probed(dir))
	attached := m.stats.Attachments.Load()
	assert.Greater(t, descriptors(t), before)

	m.sleep(unusedTime)
	m.look(u.Process.Pid, m.now)
	m.files.forget(m.now)
	assert.Equal(t, []string{filepath.Base(path)}, m.probed(dir), "it is in use")

	u.end()
	m.sleep(unusedTime - time.Second)
	m.files.forget(m.now)
	assert.Equal(t, []string{filepath.Base(path)}, m.probed(dir), "it may start again")
	m.sleep(time.Second)
	m.files.forget(m.now)
	assert.Empty(t, m.files.byID)
	assert.Zero(t, m.stats.Attachments.Load())
	assert.Equal(t, uint64(attached), m.stats.Detached.Load())
	assert.Equal(t, before-3, descriptors(t), "but for the pipes of the process")
}

// A library that is loaded late is found when the process sends a handshake from it.
func TestLibraryThatIsLoadedLate(t *testing.T) {
	m := manage(t)
	dir, path := library(t)
	u := startUser(t, dir, loadsLate)
	m.tell(eventExec, u.Process.Pid)
	m.sleep(loadTime)
	m.lookDue(m.now)
	require.Equal(t, uint64(1), m.stats.Looks.Load())
	assert.Empty(t, m.probed(dir))

	u.goOn()
	u.await()
	m.sleep(time.Second)
	m.tell(eventUncovered, u.Process.Pid)
	assert.Equal(t, []string{filepath.Base(path)}, m.probed(dir))
	m.tell(eventUncovered, u.Process.Pid)
	assert.Equal(t, uint64(2), m.stats.Looks.Load(), "there is nothing more to find soon")
}

// A process goes on with a library that was replaced or deleted, and so do its probes;
// those of a process that starts later are in the new one.
func TestReplacedLibrary(t *testing.T) {
	dir, path := library(t)
	old := startUser(t, dir, usesLibrary)
	copyFile(t, path, path+".new")
	require.NoError(t, os.Rename(path+".new", path))
	name := filepath.Base(path)

	m := manage(t)
	m.look(old.Process.Pid, m.now)
	assert.Equal(t, []string{name + " (deleted)"}, m.probed(dir))
	young := startUser(t, dir, usesLibrary)
	m.look(young.Process.Pid, m.now)
	assert.Equal(t, []string{name, name + " (deleted)"}, m.probed(dir))
	require.NoError(t, os.Remove(path))
	m.sleep(againTime)
	m.look(young.Process.Pid, m.now)
	assert.Len(t, m.probed(dir), 2, "it is the same file under its new name")

	again := manage(t)
	again.look(young.Process.Pid, again.now)
	assert.Equal(t, []string{name + " (deleted)"}, again.probed(dir))
}

// A program that is replaced while it runs is another one for those that start later.
func TestReplacedProgram(t *testing.T) {
	m := manage(t)
	program := filepath.Join(t.TempDir(), "program")
	copyFile(t, "/bin/cat", program)
	start := func() int {
		c := exec.Command(program)
		in, err := c.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
		return c.Process.Pid
	}
	first := start()
	copyFile(t, "/bin/cat", program+".new")
	require.NoError(t, os.Rename(program+".new", program))
	second := start()
	for _, pid := range []int{first, second, start()} {
		m.tell(eventExec, pid)
	}
	assert.Equal(t, uint64(2), m.stats.Files.Load())
}

// Attaching that fails is tried again, later and later, and is told.
func TestFailedAttachmentIsRetried(t *testing.T) {
	m := manage(t)
	dir, path := library(t)
	u := startUser(t, dir, usesLibrary)
	good := m.files.programs
	broken, err := good.LibraryEnter.Clone()
	require.NoError(t, err)
	require.NoError(t, broken.Close())
	m.files.programs.LibraryEnter = broken

	before := descriptors(t)
	m.look(u.Process.Pid, m.now)
	failed := m.stats.AttachFailed.Load()
	require.NotZero(t, failed)
	assert.Zero(t, m.stats.AttachRetried.Load())
	assert.Equal(t, before, descriptors(t), "it is all or nothing")
	assert.NotEmpty(t, m.log.FilterMessage("can not look into a TLS library").FilterField(zap.String("file", path)).All())
	key := bpf.CaptureProcessKey{Pid: uint32(u.Process.Pid)}
	assert.Equal(t, Failed, outcomeOf(m, &key))

	m.look(u.Process.Pid, m.now.Add(retryTime-1))
	assert.Equal(t, failed, m.stats.AttachFailed.Load(), "not yet")
	m.sleep(retryTime)
	m.look(u.Process.Pid, m.now)
	assert.Equal(t, 2*failed, m.stats.AttachFailed.Load())
	assert.Equal(t, failed, m.stats.AttachRetried.Load())

	m.files.programs = good
	m.look(u.Process.Pid, m.now.Add(2*retryTime-1))
	assert.Zero(t, m.stats.Attached.Load(), "not yet")
	m.sleep(2 * retryTime)
	m.look(u.Process.Pid, m.now)
	assert.Equal(t, failed, m.stats.Attached.Load())
	assert.Equal(t, []string{filepath.Base(path)}, m.probed(dir))
	assert.Equal(t, Unbound, outcomeOf(m, &key))
	m.look(u.Process.Pid, m.now)
	assert.Equal(t, failed, m.stats.Attached.Load(), "once is enough")
}

// A program that starts again and again is inspected once, and its libraries are looked
// at once in a while.
func TestShortLivedProcesses(t *testing.T) {
	m := manage(t)
	before := descriptors(t)
	const runs = 200
	var pids []int
	for range runs {
		c := exec.Command("/bin/cat")
		in, err := c.StdinPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		pids = append(pids, c.Process.Pid)
		m.tell(eventExec, c.Process.Pid)
		require.NoError(t, in.Close())
		require.NoError(t, c.Wait())
		m.sleep(time.Millisecond)
		m.lookDue(m.now)
	}
	assert.Equal(t, uint64(1), m.stats.Files.Load())
	assert.LessOrEqual(t, m.stats.Looks.Load(), uint64(1))
	assert.Zero(t, m.stats.LooksSkipped.Load())
	assert.Equal(t, before, descriptors(t))
	m.sweep(m.now)
	for _, pid := range pids {
		assert.NotContains(t, m.processes, pid, "it is over")
	}
}

// What came of connections is told for each program, once it is settled.
func TestCoverageOfPrograms(t *testing.T) {
	m := manage(t)
	dir, _ := library(t)
	jvm := filepath.Join(t.TempDir(), "libjvm.so") // what makes a process one of Java
	copyFile(t, harmless(t), jvm)
	java := startUser(t, "", `import ctypes, sys; ctypes.CDLL("`+jvm+`"); print(flush=True); sys.stdin.read()`)
	probed, bare := startUser(t, dir, usesLibrary), startUser(t, "", `import sys; print(flush=True); sys.stdin.read()`)
	closed, gone := startUser(t, dir, usesLibrary), uint32(1<<22+1) // beyond what process ids can be
	var all []bpf.CaptureProcessKey
	for pid, name := range map[uint32]string{
		uint32(java.Process.Pid): "java", uint32(probed.Process.Pid): "probed", uint32(bare.Process.Pid): "bare",
		uint32(closed.Process.Pid): "closed", gone: "gone",
	} {
		programNames[pid] = name
		key := bpf.CaptureProcessKey{Pid: pid, Start: 1}
		all = append(all, key)
		require.NoError(t, m.maps.Coverage.Put(key, bpf.CaptureCoverage{Plain: 1, Encrypted: 5, Bound: 2}))
		if pid != gone {
			m.look(int(pid), m.now)
		}
	}
	require.NoError(t, m.maps.Verdicts.Put(bpf.CaptureProcessKey{Pid: uint32(closed.Process.Pid), Start: 1}, uint8(0)))

	m.cover(m.now)
	assert.Equal(t, Connections{Plain: 1, Decrypted: 2}, m.stats.of("bare"), "the rest may still be met")
	m.cover(m.now)
	m.cover(m.now)
	for name, outcome := range map[string]Outcome{
		"java": Unsupported, "probed": Unbound, "bare": NoLibrary, "closed": Excluded, "gone": Gone,
	} {
		want := Connections{Plain: 1, Decrypted: 2}
		want[outcome] = 3
		assert.Equal(t, want, m.stats.of(name), name)
		said := m.log.FilterField(zap.String("program", name)).All()
		require.Len(t, said, 2, name)
		assert.Equal(t, Decrypted.String(), said[0].ContextMap()["outcome"], name)
		assert.Equal(t, outcome.String(), said[1].ContextMap()["outcome"], name)
		assert.Equal(t, uint64(3), said[1].ContextMap()["opaque"], name)
	}

	for _, key := range all {
		require.NoError(t, m.maps.Coverage.Put(key, bpf.CaptureCoverage{Plain: 1, Encrypted: 9, Bound: 6}))
	}
	m.cover(m.now)
	assert.Len(t, m.log.FilterField(zap.String("program", "bare")).All(), 2, "not again so soon")
	total := map[string]uint64{}
	m.stats.EachConnection(func(outcome string, n uint64) { total[outcome] = n })
	assert.Equal(t, uint64(5*6), total["decrypted"])
	assert.Equal(t, uint64(3), total["unsupported"])
}

// harmless is some library that has nothing to do with TLS.
func harmless(t *testing.T) string {
	t.Helper()
	user := startUser(t, "", `import sys; print(flush=True); sys.stdin.read()`)
	all, err := mappings(user.Process.Pid)
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(m mapping) bool {
		return strings.Contains(m.path, "/libz.so") || strings.Contains(m.path, "/libm.so")
	})
	require.NotEqual(t, -1, i)
	return all[i].path
}

// The number of programs that are told apart is bounded.
func TestManyPrograms(t *testing.T) {
	var s Stats
	for i := range 2 * maxPrograms {
		s.count(strconv.Itoa(i), Decrypted, 1)
	}
	programs, n := 0, uint64(0)
	s.EachProgram(func(_, outcome string, of uint64) {
		assert.Equal(t, "decrypted", outcome)
		programs, n = programs+1, n+of
	})
	assert.Equal(t, maxPrograms+1, programs)
	assert.Equal(t, uint64(2*maxPrograms), n)
	assert.Equal(t, uint64(maxPrograms), s.of(other)[Decrypted])
}

func outcomeOf(m *managed, key *bpf.CaptureProcessKey) Outcome {
	o, _ := m.outcome(key)
	return o
}
