// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/semconv"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

func TestServiceName(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for name, c := range map[string]struct {
		process capture.Process
		setting ServiceName
		want    any
	}{
		"process":           {process: capture.Process{Name: "gunicorn", Executable: "/usr/bin/python3.11"}, want: "gunicorn"},
		"no name":           {process: capture.Process{Executable: "/opt/app (deleted)"}, want: "app"},
		"renamed by node":   {process: capture.Process{Name: "MainThread", Executable: "/usr/bin/node"}, want: "node"},
		"container":         {process: capture.Process{Name: "app", ContainerID: id}},
		"pod":               {process: capture.Process{Name: "app", PodUID: "uid"}},
		"no container's id": {process: capture.Process{Name: "app", ContainerID: "docker-" + id[7:]}, want: "app"},
		"declared":          {process: capture.Process{Name: "app", ServiceName: "cart", ContainerID: id}, want: "cart"},
		"declared, off":     {process: capture.Process{Name: "app", ServiceName: "cart"}, setting: ServiceNameNone},
		"off":               {process: capture.Process{Name: "app"}, setting: ServiceNameNone},
		"nothing known":     {process: capture.Process{}},
	} {
		t.Run(name, func(t *testing.T) {
			x := get()
			x.Conn.Process = &c.process
			got := build(t, x, func(s *Settings) {
				if c.setting != "" {
					s.ServiceName = c.setting
				}
			}).res.AsRaw()
			assert.Equal(t, c.want, got[semconv.ServiceName])
			if c.process.ContainerID == id {
				assert.Equal(t, id, got[semconv.ContainerID])
			} else {
				assert.NotContains(t, got, semconv.ContainerID)
			}
		})
	}
}

func TestLongCommandLine(t *testing.T) {
	x := get()
	x.Conn.Process.CommandLine = nil
	for range 1000 {
		x.Conn.Process.CommandLine = append(x.Conn.Process.CommandLine, strings.Repeat("ä", 10_000))
	}
	args := build(t, x).res.AsRaw()[semconv.ProcessCommandArgs].([]any)
	assert.Len(t, args, maxArgs)
	assert.Len(t, args[0], maxArgBytes)
}

func TestResourcesAreBounded(t *testing.T) {
	s := testSettings()
	r := newResources(&s, redact.New(redact.Default()))
	for i := range 3 * maxResources {
		r.of(resourceKey{&capture.Process{PID: int32(i)}, true})
		require.LessOrEqual(t, len(r.known), maxResources)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abc", 2, "ab"},
		{"ä", 1, ""},
		{"aä", 2, "a"},
		{"a€", 3, "a"},
		{"𝄞", 3, ""},
		{"\x80\x80\x80\x80\x80\x80", 5, "\x80\x80\x80\x80\x80"},
		{"", 0, ""},
		{"a", 0, ""},
	} {
		assert.Equal(t, c.want, clip(c.in, c.n))
	}
}
