// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
)

// TestFilters runs the same traffic through different filters: a request by this
// program over IPv4 and over IPv6, and one by Python in a cgroup of its own.
func TestFilters(t *testing.T) {
	s4 := start(t, roleCommand("serve", "127.0.0.1:0")).line(t)
	s6 := start(t, roleCommand("serve", "[::1]:0")).line(t)
	p4, p6 := portOf(t, s4), portOf(t, s6)
	cgroup := makeCgroup(t, "outer/inner")
	root, err := probe.CgroupRoot()
	require.NoError(t, err)
	outer := filepath.Dir(strings.TrimPrefix(cgroup, root))

	ports := func(p ...uint16) Filter { return Filter{Ports: p} }
	prefixes := func(p ...string) (f Filter) {
		for _, p := range p {
			f.Prefixes = append(f.Prefixes, netip.MustParsePrefix(p))
		}
		return f
	}
	processes := func(n ...string) Filter { return Filter{Processes: n} }
	cgroups := func(p ...string) Filter { return Filter{Cgroups: p} }

	// What is seen: c the client's end, s the server's, of the three requests.
	const all = "c4 s4 c6 s6 python s-python"
	for _, tt := range []struct {
		name             string
		include, exclude Filter
		want             string
	}{
		{"nothing", Filter{}, Filter{}, all},
		{"include port", ports(p4), Filter{}, "c4 s4 python s-python"},
		{"exclude port", Filter{}, ports(p4), "c6 s6"},
		{"exclude port wins", ports(p4, p6), ports(p4), "c6 s6"},
		{"include prefix", prefixes("127.0.0.0/8"), Filter{}, "c4 s4 python s-python"},
		{"include IPv6 prefix", prefixes("::/64"), Filter{}, "c6 s6"},
		{"exclude prefix", Filter{}, prefixes("127.0.0.1/32"), "c6 s6"},
		{"longest prefix decides", prefixes("127.0.0.0/16"), prefixes("127.0.0.0/8"), "c4 s4 python s-python"},
		{"include no prefix", prefixes("192.0.2.0/24"), Filter{}, ""},
		{"exclude cgroup", Filter{}, cgroups(outer), "c4 s4 c6 s6 s-python"},
		{"include cgroup", cgroups(outer), Filter{}, "python"},
		{"absent cgroup", cgroups("/no/such"), Filter{}, ""},
		{"root cgroup", cgroups("/"), Filter{}, all},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := record(t, Settings{Include: tt.include, Exclude: tt.exclude})
			run(t, roleCommand("get", "http://"+s4+"/?n=1"))
			run(t, roleCommand("get", "http://"+s6+"/?n=1"))
			run(t, inCgroup(t, cgroup, python(pythonGet, s4)))
			settle()
			r.stop()
			assert.ElementsMatch(t, strings.Fields(tt.want), ends(r, p4, p6))
		})
	}
	t.Run("include process", func(t *testing.T) {
		r := record(t, Settings{Include: processes("python3")})
		run(t, roleCommand("get", "http://"+s4+"/?n=1"))
		run(t, python(pythonGet, s4))
		settle()
		r.stop()
		// The server's end is captured until its owner is known.
		assert.Contains(t, ends(r, p4, p6), "python")
		assert.NotContains(t, ends(r, p4, p6), "c4")
		_, s := sides(r.port(p4), p4)
		assert.Empty(t, s.out)
	})
	t.Run("process names of more than 15 bytes", func(t *testing.T) {
		script := filepath.Join(t.TempDir(), "inventory-service.py")
		require.NoError(t, os.WriteFile(script, []byte("#!/usr/bin/python3\n"+pythonGet), 0o700))
		for name, seen := range map[string]bool{"inventory-service.py": true, "inventory-servi": true, "inventory-service.pl": true, "inventory-agent-2": false} {
			r := record(t, Settings{Include: processes(name)})
			run(t, exec.Command(script, s4))
			settle()
			r.stop()
			c, _ := sides(r.port(p4), p4)
			assert.Equal(t, seen, strings.Contains(string(c.out), "GET /python"), name)
		}
	})
	t.Run("exclude process", func(t *testing.T) {
		r := record(t, Settings{Exclude: processes("python3", "ebpf.test")})
		run(t, roleCommand("get", "http://"+s4+"/?n=1"))
		run(t, python(pythonGet, s4))
		settle()
		r.stop()
		c, s := sides(r.port(p4), p4)
		assert.Empty(t, c.out)
		assert.Empty(t, s.out)
	})
}

const pythonGet = `
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
s = socket.create_connection((host, int(port)))
s.sendall(b"GET /python?n=1 HTTP/1.0\r\n\r\n")
while s.recv(65536): pass
`

// ends names the ends of connections whose request was seen.
func ends(r *recorder, p4, p6 uint16) (all []string) {
	for _, v := range []struct {
		port uint16
		name string
	}{{p4, "4"}, {p6, "6"}} {
		c, s := sides(r.port(v.port), v.port)
		for _, e := range []struct {
			request      []byte
			name, python string
		}{{c.out, "c" + v.name, "python"}, {s.in, "s" + v.name, "s-python"}} {
			if strings.Contains(string(e.request), "GET /?n=1") {
				all = append(all, e.name)
			}
			if strings.Contains(string(e.request), "GET /python") {
				all = append(all, e.python)
			}
		}
	}
	return all
}

func TestSettingsValidate(t *testing.T) {
	good := Settings{Shards: 1}
	require.NoError(t, good.Validate())
	for _, tt := range []struct {
		settings Settings
		want     string
	}{
		{Settings{}, "shards is 0, must be between 1 and 64"},
		{Settings{Shards: 65}, "shards is 65"},
		{Settings{Shards: 1, RingBytes: 1000}, "ring size is 1000, must be a power of two"},
		{Settings{Shards: 1, RingBytes: 3 << 20}, "must be a power of two"},
		{Settings{Shards: 1, Processes: -1}, "must not be negative"},
		{Settings{Shards: 1, Include: Filter{Processes: []string{"/bin/sh"}}}, "not a path"},
		{Settings{Shards: 1, Exclude: Filter{Cgroups: []string{"system.slice"}}}, "must begin with /"},
		{Settings{Shards: 1, Exclude: Filter{Prefixes: []netip.Prefix{{}}}}, "prefix is not valid"},
	} {
		require.ErrorContains(t, tt.settings.Validate(), tt.want)
	}
}

func TestNamesThatTheKernelCuts(t *testing.T) {
	assert.Equal(t, map[string]uint8{
		"kube-controller-manager": includeFlag, "kube-controller-other": excludeFlag, "kube-controller": excludeFlag | (includeFlag|excludeFlag)<<cutShift, "nginx": includeFlag,
	}, makeFilterLists(&Settings{
		Include: Filter{Processes: []string{"kube-controller-manager", "nginx"}},
		Exclude: Filter{Processes: []string{"kube-controller-other", "kube-controller"}},
	}).processes)
}
