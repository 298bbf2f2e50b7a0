// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Zone is what name servers under test know of a domain.
type Zone struct {
	Origin  string      // without the dot at the end
	Records [][3]string // name below the origin, type and data, without quotes
	// Silent is the address of a server that answers nothing, to be asked for
	// silent.example; may be empty.
	Silent string
	Addr   string // to listen on; a free port of 127.0.0.1, below those of clients, if empty
}

// NameServer is a running server of a zone.
type NameServer struct {
	*Process
	Addr, Host, Port string
}

func (z *Zone) start(t testing.TB, command func(dir, host, port string) Program) *NameServer {
	t.Helper()
	s := &NameServer{Addr: z.Addr}
	if s.Addr == "" {
		s.Addr = wellKnown(t)
	}
	var err error
	s.Host, s.Port, err = net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	p := command(t.TempDir(), s.Host, s.Port)
	p.Addr = s.Addr
	s.Process = Start(t, p)
	return s
}

// wellKnown is a free address of both transports whose port no client gets: over UDP a
// client with the server's port would talk to itself.
func wellKnown(t testing.TB) (addr string) {
	t.Helper()
	Eventually(t, "a free port", func() bool {
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.IntN(10_000)))
		stream, err := net.Listen("tcp", addr)
		if err != nil {
			return false
		}
		defer stream.Close()
		datagrams, err := net.ListenPacket("udp", addr)
		if err != nil {
			return false
		}
		return datagrams.Close() == nil
	})
	return addr
}

// Dnsmasq serves a zone with dnsmasq. It knows records of types A and TXT.
func (z Zone) Dnsmasq(t testing.TB) *NameServer {
	t.Helper()
	return z.start(t, func(_, host, port string) Program {
		args := []string{
			"--conf-file=/dev/null", "--no-daemon", "--no-resolv", "--no-hosts", "--user=root", "--bind-interfaces",
			"--listen-address=" + host, "--port=" + port, "--local=/" + z.Origin + "/",
		}
		for _, r := range z.Records {
			name := r[0] + "." + z.Origin
			switch wild, found := strings.CutPrefix(name, "*."); {
			case found:
				args = append(args, "--address=/"+wild+"/"+r[2])
			case r[1] == "A":
				args = append(args, "--host-record="+name+","+r[2])
			case r[1] == "CNAME":
				args = append(args, "--cname="+name+","+r[2])
			default:
				args = append(args, "--txt-record="+name+","+r[2])
			}
		}
		if host, port, err := net.SplitHostPort(z.Silent); err == nil {
			args = append(args, "--server=/silent.example/"+host+"#"+port)
		}
		return Program{Path: NeedProgram(t, "dnsmasq"), Args: args}
	})
}

// Bind serves a zone with BIND.
func (z Zone) Bind(t testing.TB) *NameServer {
	t.Helper()
	return z.start(t, func(dir, host, port string) Program {
		var zone strings.Builder
		fmt.Fprintf(&zone, "$TTL 300\n@ IN SOA ns.%[1]s. admin.%[1]s. 1 3600 600 86400 60\n@ IN NS ns.%[1]s.\nns IN A %[2]s\n", z.Origin, host)
		for _, r := range z.Records {
			fmt.Fprintf(&zone, "%s IN %s %s\n", r[0], r[1], z.data(r))
		}
		conf := filepath.Join(dir, "named.conf")
		require.NoError(t, os.WriteFile(filepath.Join(dir, "zone"), []byte(zone.String()), 0o644))
		require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, bindConf, dir, host, port, z.Origin), 0o644))
		return Program{Path: needServer(t, "named"), Args: []string{"-g", "-n", "1", "-c", conf}}
	})
}

const bindConf = `
options {
  directory "%[1]s";
  pid-file "%[1]s/named.pid";
  session-keyfile "%[1]s/session.key";
  managed-keys-directory "%[1]s";
  listen-on port %[3]s { %[2]s; };
  listen-on-v6 { none; };
  recursion no;
  notify no;
};
controls { };
zone "%[4]s" { type primary; file "%[1]s/zone"; };
`

// Unbound serves a zone with unbound.
func (z Zone) Unbound(t testing.TB) *NameServer {
	t.Helper()
	return z.start(t, func(dir, host, port string) Program {
		conf := &strings.Builder{}
		fmt.Fprintf(conf, unboundConf, dir, host, port, z.Origin)
		for _, r := range z.Records {
			name := r[0] + "." + z.Origin
			if wild, found := strings.CutPrefix(name, "*."); found {
				name = wild
				fmt.Fprintf(conf, "  local-zone: %q redirect\n", name)
			}
			fmt.Fprintf(conf, "  local-data: '%s. 300 IN %s %s'\n", name, r[1], z.data(r))
		}
		conf.WriteString("remote-control:\n  control-enable: no\n")
		path := filepath.Join(dir, "unbound.conf")
		require.NoError(t, os.WriteFile(path, []byte(conf.String()), 0o644))
		return Program{Path: needServer(t, "unbound"), Args: []string{"-d", "-d", "-c", path}}
	})
}

const unboundConf = `
server:
  directory: %[1]q
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  interface: %[2]s
  port: %[3]s
  access-control: 127.0.0.0/8 allow
  local-zone: %[4]q static
`

// data is a record's data as zone files have it.
func (z *Zone) data(r [3]string) string {
	switch r[1] {
	case "TXT":
		return `"` + r[2] + `"`
	case "CNAME":
		return r[2] + "."
	}
	return r[2]
}

// needServer is NeedProgram for what is in a folder that not everybody looks into.
func needServer(t testing.TB, name string) string {
	t.Helper()
	if path := "/usr/sbin/" + name; exists(path) {
		return path
	}
	return NeedProgram(t, name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
