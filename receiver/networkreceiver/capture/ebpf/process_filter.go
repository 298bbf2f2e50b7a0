// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package ebpf

import (
	"errors"
	"fmt"
	"strings"
)

// TLS says into which processes' TLS libraries to look.
type TLS struct {
	Enabled bool
	// Include and Exclude choose processes. A process must pass these as well as the
	// filters of Settings. What can not be decided stays closed: a path of more than 24
	// names (a cgroup's: 12) or 512 bytes, or with a name of more than 126.
	Include, Exclude Selection
}

// Selection chooses processes. Each list is asked on its own. In names and paths "*"
// stands for any run of bytes and "?" for one byte, neither of them for "/"; "**" between
// slashes stands for any number of names of a path.
type Selection struct {
	// Processes are names of processes (comm, at most 15 bytes) or of their executables
	// (the last part of the path).
	Processes []string
	// Executables are paths as the process's mount namespace has them.
	Executables []string
	// Cgroups are paths below the root of the cgroup v2 hierarchy. What is below them is
	// meant as well.
	Cgroups []string
	// Pods are the UIDs of Kubernetes pods.
	Pods []string
	// Containers are the ids of containers, or at least the first 12 digits of one.
	Containers []string
	// Users are real user ids, outside of user namespaces.
	Users []uint32
}

// Bounds of a Selection, as in bpf/lib/tls/process_filter.h and bpf/lib/tls/match.h.
const (
	maxProcessRules = 1024
	maxPatternLen   = 256
	maxPathLen      = 200 // of what is written; what is made of it is longer
	leastContainer  = 12
)

// What a rule is about, as in bpf/lib/tls/process_filter.h.
const (
	subjectName uint8 = iota
	subjectExecutable
	subjectCgroup
	subjectUser
)

// Wildcards, as in bpf/lib/tls/match.h.
const (
	anyNames = "\x01"
	anyRun   = "\x02"
	anyByte  = "\x03"
)

// processRule is one entry of a Selection. A process is in a list if one of its rules says
// so.
type processRule struct {
	subject uint8
	list    uint8  // a bit
	pattern string // for match.h
	user    uint32
}

// rules gives what a selection means.
func (s *Selection) rules() []processRule {
	var all []processRule
	list := uint8(1)
	for _, l := range []struct {
		entries []string
		rules   func(entry string) []processRule
	}{
		{s.Processes, func(e string) []processRule {
			name := namePattern(e)
			return []processRule{{subject: subjectName, pattern: name}, {subject: subjectExecutable, pattern: name + anyNames}}
		}},
		{s.Executables, func(e string) []processRule {
			return []processRule{{subject: subjectExecutable, pattern: pathPattern(e)}}
		}},
		{s.Cgroups, func(e string) []processRule { return []processRule{cgroupRule(e)} }},
		{s.Pods, func(e string) []processRule {
			return []processRule{cgroupRule("/**/*pod" + e), cgroupRule("/**/*pod" + strings.ReplaceAll(e, "-", "_") + ".slice")}
		}},
		{s.Containers, func(e string) []processRule { return []processRule{cgroupRule("/**/*" + e + "*")} }},
	} {
		for _, entry := range l.entries {
			for _, r := range l.rules(entry) {
				r.list = list
				all = append(all, r)
			}
		}
		list <<= 1
	}
	for _, user := range s.Users {
		all = append(all, processRule{subject: subjectUser, list: list, user: user})
	}
	return all
}

func cgroupRule(path string) processRule {
	return processRule{subject: subjectCgroup, pattern: anyNames + pathPattern(path)}
}

// namePattern is the kernel's form of a pattern for one name.
func namePattern(name string) string {
	for strings.Contains(name, "**") {
		name = strings.ReplaceAll(name, "**", "*")
	}
	return strings.NewReplacer("*", anyRun, "?", anyByte).Replace(name) + "\x00"
}

// pathPattern is the kernel's form of a pattern for a path: the innermost name first.
func pathPattern(path string) (pattern string) {
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "", ".":
		case "**":
			pattern = anyNames + strings.TrimPrefix(pattern, anyNames)
		default:
			pattern = namePattern(name) + pattern
		}
	}
	return pattern
}

func (t *TLS) validate() error {
	all := []error{t.Include.Validate(), t.Exclude.Validate()}
	if n := len(t.Include.rules()) + len(t.Exclude.rules()); n > maxProcessRules {
		all = append(all, fmt.Errorf("tls: entries of filters need %d rules, must be at most %d", n, maxProcessRules))
	}
	return errors.Join(all...)
}

// Validate tells what is wrong with a selection.
func (s *Selection) Validate() error {
	var all []error
	check := func(ok bool, format string, entry string) {
		if !ok {
			all = append(all, fmt.Errorf(format, entry))
		}
	}
	for _, e := range s.Processes {
		check(validName(e), "process %q must be a name of 1 to 63 bytes, not a path", e)
	}
	for _, e := range s.Executables {
		check(validPath(e), "executable %q must be a path that begins with /, of at most 200 bytes", e)
	}
	for _, e := range s.Cgroups {
		check(validPath(e), "cgroup %q must be a path that begins with /, of at most 200 bytes", e)
	}
	for _, e := range s.Pods {
		check(podUIDOf("pod"+e) == e && e != "", "pod %q must be the UID of a pod", e)
	}
	for _, e := range s.Containers {
		check(len(e) >= leastContainer && len(e) <= containerIDLen && isHex(e), "container %q must be an id of 12 to 64 digits", e)
	}
	return errors.Join(all...)
}

func validName(name string) bool {
	return name != "" && len(name) <= maxNameLen && !strings.Contains(name, "/") && !hasControls(name)
}

func validPath(path string) bool {
	return strings.HasPrefix(path, "/") && len(path) <= maxPathLen && !hasControls(path)
}

// hasControls tells whether a text has bytes in it that mean something else in a pattern.
func hasControls(text string) bool { return strings.ContainsAny(text, "\x00"+anyNames+anyRun+anyByte) }
