// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/bpf"
)

// Results of the kernel's matching, as in bpf/lib/tls/match.h.
const (
	undecided = iota
	matches
	differs
)

// pair is a path's pattern, as a user writes it, and a path.
type pair struct{ pattern, path string }

// inKernelOrder is how the kernel has a path.
func inKernelOrder(path string) string {
	var out strings.Builder
	for _, name := range slices.Backward(strings.Split(path, "/")) {
		if name != "" {
			out.WriteString(name + "\x00")
		}
	}
	return out.String()
}

// matchInC gives what the kernel's code says of each pair.
func matchInC(t *testing.T, pairs []pair) []byte {
	t.Helper()
	program := filepath.Join(t.TempDir(), "match")
	out, err := exec.Command("cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, "testdata/match/match.c").CombinedOutput()
	require.NoError(t, err, string(out))
	var in []byte
	for _, p := range pairs {
		for _, text := range []string{pathPattern(p.pattern), inKernelOrder(p.path)} {
			in = binary.LittleEndian.AppendUint16(in, uint16(len(text)))
			in = append(in, text...)
		}
	}
	c := exec.Command(program)
	c.Stdin = bytes.NewReader(in)
	results, err := c.Output()
	require.NoError(t, err)
	require.Len(t, results, len(pairs))
	return results
}

// The kernel matches what the documentation says.
func TestPathPatterns(t *testing.T) {
	for _, tt := range []struct {
		pair
		want byte
	}{
		{pair{"/usr/sbin/nginx", "/usr/sbin/nginx"}, matches},
		{pair{"/usr/sbin/nginx", "/usr/sbin/nginx2"}, differs},
		{pair{"/usr/sbin/nginx", "/usr/local/usr/sbin/nginx"}, differs},
		{pair{"/sbin/nginx", "/usr/sbin/nginx"}, differs},
		{pair{"/usr/*/nginx", "/usr/sbin/nginx"}, matches},
		{pair{"/usr/*/nginx", "/usr/local/sbin/nginx"}, differs},
		{pair{"/usr/**/nginx", "/usr/local/sbin/nginx"}, matches},
		{pair{"/usr/**/nginx", "/usr/nginx"}, matches},
		{pair{"/usr/**", "/usr/local/sbin/nginx"}, matches},
		{pair{"/usr/**", "/usr"}, matches},
		{pair{"/usr/**", "/usrlocal/x"}, differs},
		{pair{"/**/nginx", "/nginx"}, matches},
		{pair{"/**/a/**/b", "/x/a/y/b"}, matches},
		{pair{"/**/a/**/b", "/x/a/y/c"}, differs},
		{pair{"/opt/python3.?", "/opt/python3.1"}, matches},
		{pair{"/opt/python3.?", "/opt/python3.11"}, differs},
		{pair{"/opt?x", "/opt/x"}, differs},
		{pair{"/opt/**x", "/opt/a/x"}, differs},
		{pair{"/a.c", "/abc"}, differs},
		{pair{"/", "/"}, matches},
		{pair{"/", "/a"}, differs},
		{pair{"/**", "/"}, matches},
	} {
		t.Run(tt.pattern+" "+tt.path, func(t *testing.T) {
			assert.Equal(t, tt.want, matchInC(t, []pair{tt.pair})[0])
			assert.Equal(t, tt.want == matches, reference(tt.pattern).MatchString(tt.path), "the reference")
		})
	}
}

// reference is what a pattern means.
func reference(pattern string) *regexp.Regexp {
	out := "^"
	for name := range strings.SplitSeq(pattern, "/") {
		switch name {
		case "":
		case "**":
			out += "(/[^/]+)*"
		default:
			name = regexp.QuoteMeta(name)
			name = strings.ReplaceAll(name, `\*`, "[^/]*")
			out += "/" + strings.ReplaceAll(name, `\?`, "[^/]")
		}
	}
	return regexp.MustCompile(out + "/?$")
}

func TestPathPatternsAgreeWithReference(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	names := func(alphabet []string, most int) (path string) {
		for range noise.IntN(most) + 1 {
			path += "/"
			for range noise.IntN(3) + 1 {
				path += alphabet[noise.IntN(len(alphabet))]
			}
		}
		return path
	}
	var pairs []pair
	for range 20_000 {
		pairs = append(pairs, pair{names([]string{"a", "b", "*", "?", "/**/"}, 3), names([]string{"a", "b"}, 5)})
	}
	found := 0
	for i, got := range matchInC(t, pairs) {
		want := byte(differs)
		if reference(pairs[i].pattern).MatchString(pairs[i].path) {
			want = matches
			found++
		}
		require.Equal(t, want, got, "%v", pairs[i])
	}
	assert.Greater(t, found, len(pairs)/20)
	assert.Less(t, found, len(pairs)/2)
}

// A pattern that takes too long is given up.
func TestPathPatternsAreBounded(t *testing.T) {
	dear := pair{"/**/*" + strings.Repeat("a", 60) + "b/**", strings.Repeat("/"+strings.Repeat("a", 126), 8)}
	assert.Equal(t, []byte{undecided}, matchInC(t, []pair{dear}))
}

func TestSelectionRules(t *testing.T) {
	const uid, id = "1b2f6e0c-1111-2222-3333-444455556666", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	s := Selection{Pods: []string{uid}, Containers: []string{id[:12]}, Cgroups: []string{"/a"}, Users: []uint32{33}}
	require.NoError(t, s.Validate())
	var patterns []string
	var lists []uint8
	for _, r := range s.rules() {
		patterns = append(patterns, fmt.Sprintf("%d%s", r.subject, r.pattern))
		lists = append(lists, r.list)
	}
	assert.Equal(t, []string{
		"2" + anyNames + "a\x00",
		"2" + anyNames + anyRun + "pod" + uid + "\x00" + anyNames,
		"2" + anyNames + anyRun + "pod" + strings.ReplaceAll(uid, "-", "_") + ".slice\x00" + anyNames,
		"2" + anyNames + anyRun + id[:12] + anyRun + "\x00" + anyNames,
		"3",
	}, patterns)
	assert.Equal(t, []uint8{4, 8, 8, 16, 32}, lists)
}

func TestSelectionValidate(t *testing.T) {
	for _, tt := range []struct {
		s    Selection
		want string
	}{
		{Selection{Processes: []string{"/bin/sh"}}, "not a path"},
		{Selection{Processes: []string{""}}, "1 to 63 bytes"},
		{Selection{Processes: []string{"a\x01"}}, "1 to 63 bytes"},
		{Selection{Executables: []string{"nginx"}}, "begins with /"},
		{Selection{Executables: []string{"/" + strings.Repeat("a", 200)}}, "at most 200 bytes"},
		{Selection{Cgroups: []string{"a.slice"}}, "begins with /"},
		{Selection{Pods: []string{"web-1"}}, "UID of a pod"},
		{Selection{Pods: []string{""}}, "UID of a pod"},
		{Selection{Containers: []string{"0123"}}, "12 to 64 digits"},
	} {
		require.ErrorContains(t, tt.s.Validate(), tt.want)
	}
	many := TLS{Exclude: Selection{Executables: slices.Repeat([]string{"/a"}, maxProcessRules+1)}}
	require.ErrorContains(t, many.validate(), "must be at most 1024")
	longest := Selection{Executables: []string{"/" + strings.Repeat("a/", 99) + "a"}, Processes: []string{strings.Repeat("a", 63)}}
	require.NoError(t, longest.Validate())
	for _, r := range longest.rules() {
		assert.LessOrEqual(t, len(r.pattern), maxPatternLen)
	}
}

// What is written down for every platform is what the kernel's programs have.
func TestConstantsAreTheKernels(t *testing.T) {
	assert.EqualValues(t, bpf.TLSProcessSubjectPROCESS_NAME, subjectName)
	assert.EqualValues(t, bpf.TLSProcessSubjectPROCESS_EXECUTABLE, subjectExecutable)
	assert.EqualValues(t, bpf.TLSProcessSubjectPROCESS_CGROUP, subjectCgroup)
	assert.EqualValues(t, bpf.TLSProcessSubjectPROCESS_USER, subjectUser)
	assert.EqualValues(t, bpf.CaptureLocalEndLOCAL_BOTH, LocalBoth)
	assert.EqualValues(t, bpf.CaptureLocalEndLOCAL_CLIENT, LocalClient)
	assert.EqualValues(t, bpf.CaptureLocalEndLOCAL_SERVER, LocalServer)
}
