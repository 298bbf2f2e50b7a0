// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

// resourceKey tells resources apart.
type resourceKey struct {
	process *capture.Process
	live    bool
}

func resourceOf(c *conn.Conn) resourceKey { return resourceKey{c.Process, c.Live} }

const (
	maxResources = 1024
	maxArgs      = 64   // arguments of a command line that are kept
	maxArgBytes  = 1024 // bytes of each
)

// resources makes the resource of each process once, and remembers a bounded
// number of them.
type resources struct {
	set      *Settings
	redactor *redact.Redactor
	known    map[resourceKey]pcommon.Resource
}

func newResources(s *Settings, r *redact.Redactor) *resources {
	return &resources{set: s, redactor: r, known: make(map[resourceKey]pcommon.Resource)}
}

// of is a shared resource: copy it.
func (r *resources) of(k resourceKey) pcommon.Resource {
	if res, ok := r.known[k]; ok {
		return res
	}
	if len(r.known) >= maxResources {
		clear(r.known)
	}
	res := pcommon.NewResource()
	r.fill(res.Attributes(), k)
	r.known[k] = res
	return res
}

func (r *resources) fill(m pcommon.Map, k resourceKey) {
	m.EnsureCapacity(16)
	if k.live && r.set.HostName != "" {
		m.PutStr(semconv.HostName, valid(r.set.HostName))
	}
	m.PutStr(semconv.TelemetryDistroName, distroName)
	if r.set.Version != "" {
		m.PutStr(semconv.TelemetryDistroVersion, r.set.Version)
	}
	p := k.process
	if p == nil {
		return
	}
	m.PutInt(semconv.ProcessPID, int64(p.PID))
	if p.ParentPID > 0 {
		m.PutInt(semconv.ProcessParentPID, int64(p.ParentPID))
	}
	if p.StartTime > 0 {
		m.PutStr(semconv.ProcessCreationTime, time.Unix(0, p.StartTime).UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	putStr(m, semconv.ProcessName, p.FullName())
	putStr(m, semconv.ProcessExecutableName, p.ExecutableName())
	putStr(m, semconv.ProcessExecutablePath, p.Executable)
	r.fillCommandLine(m, p.CommandLine)
	putStr(m, semconv.ProcessLinuxCgroup, p.CgroupPath)
	if isContainerID(p.ContainerID) {
		m.PutStr(semconv.ContainerID, p.ContainerID)
	}
	putStr(m, semconv.K8SPodUID, p.PodUID)
	if r.set.ServiceName == ServiceNameProcess {
		putStr(m, semconv.ServiceName, serviceName(p))
		putStr(m, semconv.ServiceNamespace, p.ServiceNamespace)
	}
}

// contained reports whether a process runs in a container, whose orchestrator
// knows its service's name better than the process does.
func contained(p *capture.Process) bool { return p.PodUID != "" || isContainerID(p.ContainerID) }

func (r *resources) fillCommandLine(m pcommon.Map, args []string) {
	if len(args) == 0 {
		return
	}
	args = r.redactor.CommandLine(args[:min(len(args), maxArgs)])
	putStr(m, semconv.ProcessCommand, clip(args[0], maxArgBytes))
	list := m.PutEmptySlice(semconv.ProcessCommandArgs)
	list.EnsureCapacity(len(args))
	for _, arg := range args {
		list.AppendEmpty().SetStr(valid(clip(arg, maxArgBytes)))
	}
}

// serviceName is what people call a process: as it calls itself in OpenTelemetry, else,
// outside containers, by its own name. A script is known by its own name (gunicorn, not
// python3), which is the process's name, unless the runtime has named the main thread.
func serviceName(p *capture.Process) string {
	if p.ServiceName != "" {
		return p.ServiceName
	}
	if contained(p) {
		return ""
	}
	if exe := p.ExecutableName(); exe != "" && (p.Name == "" || strings.HasSuffix(p.Name, "MainThread")) {
		return exe
	}
	return p.FullName()
}

// isContainerID reports whether id is a bare container id: 64 hexadecimal digits.
func isContainerID(id string) bool {
	if len(id) != 64 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func putStr(m pcommon.Map, key, value string) {
	if value != "" {
		m.PutStr(key, valid(value))
	}
}

// valid is s as valid UTF-8, as OTLP wants every string to be. Field values that are not
// are ISO 8859-1 (RFC 9110, section 5.5), and so is here what else is not.
func valid(s string) string { return dissect.Text(s) }

// validURL is valid for a URL or a part of one: bytes of what is not UTF-8 are escaped
// (RFC 3986, section 2.1).
func validURL(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + len(s)/2)
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

// clip cuts s to at most n bytes, at a character's boundary.
func clip[T ~string | ~[]byte](s T, n int) T {
	if len(s) <= n {
		return s
	}
	for cut := n; cut >= 0 && n-cut < utf8.UTFMax; cut-- {
		if utf8.RuneStart(s[cut]) {
			return s[:cut]
		}
	}
	return s[:n] // not UTF-8
}
