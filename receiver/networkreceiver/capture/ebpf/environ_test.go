// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

func TestReadEnviron(t *testing.T) {
	for name, c := range map[string]struct {
		environ         []string
		name, namespace string
	}{
		"nothing":         {[]string{"PATH=/bin", "HOME=/"}, "", ""},
		"name":            {[]string{"PATH=/bin", "OTEL_SERVICE_NAME=cart", "HOME=/"}, "cart", ""},
		"attributes":      {[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=cart, service.namespace=shop ,service.version=1"}, "cart", "shop"},
		"both":            {[]string{"OTEL_SERVICE_NAME=cart", "OTEL_RESOURCE_ATTRIBUTES=service.name=other,service.namespace=shop"}, "cart", "shop"},
		"both, reversed":  {[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=other", "OTEL_SERVICE_NAME=cart"}, "cart", ""},
		"encoded":         {[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=the%20cart%2C%20again"}, "the cart, again", ""},
		"badly encoded":   {[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name=%zz,service.namespace=shop"}, "", "shop"},
		"empty":           {[]string{"OTEL_SERVICE_NAME=", "OTEL_RESOURCE_ATTRIBUTES="}, "", ""},
		"another's name":  {[]string{"X_OTEL_SERVICE_NAME=cart", "OTEL_SERVICE_NAME_X=cart"}, "", ""},
		"too long":        {[]string{"OTEL_SERVICE_NAME=" + strings.Repeat("x", maxServiceName+1)}, "", ""},
		"no value at all": {[]string{"OTEL_RESOURCE_ATTRIBUTES=service.name", "OTEL_SERVICE_NAME"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var p capture.Process
			readEnviron(&p, strings.Join(c.environ, "\x00")+"\x00")
			assert.Equal(t, capture.Process{ServiceName: c.name, ServiceNamespace: c.namespace}, p)
		})
	}
}

func TestDeclare(t *testing.T) {
	c := exec.Command("cat")
	c.Env = append(os.Environ(), "OTEL_SERVICE_NAME=cart")
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	// What answers has its environment.
	_, err = in.Write([]byte("x"))
	require.NoError(t, err)
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)

	p := capture.Process{PID: int32(c.Process.Pid)}
	_, ticks, err := readStat("/proc/" + strconv.Itoa(c.Process.Pid) + "/stat")
	require.NoError(t, err)
	declare(&p, (ticks+1)*clockTick)
	assert.Empty(t, p.ServiceName, "another process that has had the same id")
	declare(&p, ticks*clockTick)
	assert.Equal(t, "cart", p.ServiceName)
}
