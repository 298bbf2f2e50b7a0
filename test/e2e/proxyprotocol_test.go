// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/internal/testkit"
)

const proxiedNginxConf = `
daemon off;
user root;
worker_processes 1;
pid %[1]s/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  server { listen %[2]s proxy_protocol; location / { return 200 "$proxy_protocol_port\n"; } }
}
`

const proxyingHAProxyConf = `
global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen v1
  bind %[1]s
  server nginx %[3]s send-proxy
listen v2
  bind %[2]s
  server nginx %[3]s send-proxy-v2
`

// TestProxyProtocol sends calls by HAProxy to nginx. At both ends of the connection between
// them each call is seen whole, and its client is the one that HAProxy names to nginx.
func TestProxyProtocol(t *testing.T) {
	testkit.NeedRoot(t)
	dir := t.TempDir()
	conf := func(name, format string, args ...any) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o644))
		return path
	}
	backend := testkit.FreeAddr(t)
	proxies := map[string]string{"1": testkit.FreeAddr(t), "2": testkit.FreeAddr(t)}
	testkit.Start(t, testkit.Program{
		Path: testkit.NeedProgram(t, "nginx"), Addr: backend,
		Args: []string{"-p", dir, "-c", conf("nginx.conf", proxiedNginxConf, dir, backend), "-e", "stderr"},
	})
	haproxy := testkit.Start(t, testkit.Program{
		Path: testkit.NeedProgram(t, "haproxy"), Addr: proxies["2"],
		Args: []string{"-db", "-f", conf("haproxy.cfg", proxyingHAProxyConf, proxies["1"], proxies["2"], backend)},
	})
	c := live(t, nil)
	ports := map[string]string{} // of the client, by path
	for version, addr := range proxies {
		for _, n := range []string{"a", "b"} {
			path := "/" + version + n
			url := "http://" + addr + path
			said := strings.Fields(testkit.Run(t, testkit.Program{Path: testkit.NeedProgram(t, "curl"), Args: []string{"-sS", url, url}}))
			require.Len(t, said, 2)
			require.Equal(t, said[0], said[1], "one connection")
			ports[path] = said[0]
		}
	}
	t.Logf("the collector counts as lost: %v", losses(c.Metrics()))
	c.Shutdown()
	for path, port := range ports {
		behind := c.Calls().Where(func(call testkit.Call) bool {
			_, ok := call.Attributes["wirespan.proxy_protocol.version"]
			return call.URI == path && ok
		})
		assert.Len(t, behind.Of(ptrace.SpanKindServer), 2, "%s: nginx", path)
		assert.Len(t, behind.Of(ptrace.SpanKindClient), 2, "%s: HAProxy", path)
		for _, call := range behind {
			assert.Equal(t, 200, call.Status)
			assert.Empty(t, incomplete(call))
			assert.Equal(t, path[1:2], fmt.Sprint(call.Attributes["wirespan.proxy_protocol.version"]))
			assert.Equal(t, "127.0.0.1", call.Attributes["client.address"])
			assert.Equal(t, port, fmt.Sprint(call.Attributes["client.port"]))
			assert.Equal(t, call.Kind == ptrace.SpanKindClient, call.PID == haproxy.PID())
		}
	}
}
