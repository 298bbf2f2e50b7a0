// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package nodes

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// cluster is a few nodes with routed networks of pods, as a Kubernetes cluster has
// them. Each node and each pod is a network namespace.
//
//	pod 10.42.N.M ── node 198.51.100.N ── fabric ── node … ── pod …
//
// With IPv6 the same numbers are in 2001:db8:42:N::M and 2001:db8::N.
type cluster struct {
	t      *testing.T
	fabric string // namespace with the bridge between nodes
	nodes  []*node
}

// node is a machine of its own as far as a network can tell.
type node struct {
	cluster *cluster
	number  int
	netns   string
	group   *testkit.Cgroup // of the node's processes: what its collector captures
	pods    int
}

// place is where programs run: in a pod, or beside the pods on its node.
type place struct {
	node       *node
	netns      string
	ip4, ip6   string
	containers *testkit.Cgroup
}

// newCluster makes a cluster that lasts as long as the test.
func newCluster(t *testing.T, nodes int) *cluster {
	testkit.NeedRoot(t)
	testkit.NeedProgram(t, "ip")
	testkit.NeedProgram(t, "nft")
	c := &cluster{t: t}
	c.fabric = c.namespace("fabric")
	c.in(c.fabric, "ip link add bridge0 type bridge", "ip link set bridge0 up")
	for n := 1; n <= nodes; n++ {
		c.addNode(n)
	}
	for _, n := range c.nodes {
		for _, to := range c.nodes {
			if n != to {
				c.in(n.netns, fmt.Sprintf("ip route add 10.42.%d.0/24 via 198.51.100.%[1]d", to.number),
					fmt.Sprintf("ip -6 route add 2001:db8:42:%d::/64 via 2001:db8::%[1]d", to.number))
			}
		}
	}
	return c
}

func (c *cluster) addNode(number int) {
	n := &node{
		cluster: c, number: number, netns: c.namespace(fmt.Sprintf("node%d", number)),
		group: testkit.NewCgroup(c.t, fmt.Sprintf("node%d", number)),
	}
	c.in(c.fabric, fmt.Sprintf("ip link add port%d type veth peer name eth0 netns %s", number, n.netns),
		fmt.Sprintf("ip link set port%d master bridge0 up", number))
	c.in(n.netns,
		"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
		fmt.Sprintf("ip addr add 198.51.100.%d/24 dev eth0", number),
		fmt.Sprintf("ip addr add 2001:db8::%d/64 dev eth0 nodad", number),
		"ip link set eth0 up",
		"ip route add 10.96.0.0/24 dev eth0", // what a host's own processes send to services needs a route, too
		"ip -6 route add 2001:db8:96::/64 dev eth0")
	c.nodes = append(c.nodes, n)
}

// pod adds a pod to the node: a namespace whose only neighbour is the node.
func (n *node) pod() place {
	n.pods++
	c, number := n.cluster, n.pods+1
	p := place{
		node: n, netns: c.namespace(fmt.Sprintf("pod%d-%d", n.number, n.pods)), containers: n.group,
		ip4: fmt.Sprintf("10.42.%d.%d", n.number, number), ip6: fmt.Sprintf("2001:db8:42:%d::%d", n.number, number),
	}
	gateway := fmt.Sprintf("10.42.%d.1", n.number)
	link := fmt.Sprintf("pod%d", n.pods)
	c.in(n.netns,
		fmt.Sprintf("ip link add %s type veth peer name eth0 netns %s", link, p.netns),
		fmt.Sprintf("ip addr add %s/32 dev %s", gateway, link),
		fmt.Sprintf("ip addr add fe80::1/64 dev %s nodad", link),
		fmt.Sprintf("ip link set %s up", link),
		fmt.Sprintf("ip route add %s/32 dev %s", p.ip4, link),
		fmt.Sprintf("ip -6 route add %s/128 dev %s", p.ip6, link))
	c.in(p.netns,
		fmt.Sprintf("ip addr add %s/32 dev eth0", p.ip4),
		fmt.Sprintf("ip addr add %s/128 dev eth0 nodad", p.ip6),
		"ip link set eth0 up",
		fmt.Sprintf("ip route add %s dev eth0 scope link", gateway),
		"ip route add default via "+gateway,
		"ip -6 route add default via fe80::1 dev eth0")
	return p
}

// host is the node itself, where processes with hostNetwork run.
func (n *node) host() place {
	return place{
		node: n, netns: n.netns, containers: n.group,
		ip4: fmt.Sprintf("198.51.100.%d", n.number), ip6: fmt.Sprintf("2001:db8::%d", n.number),
	}
}

// service is an address that every node translates to a pod's, as kube-proxy does.
type service struct {
	ip4, ip6 string
	pod      place
	// masquerade hides the client behind its node's address, as for clients outside the
	// cluster's network.
	masquerade bool
}

// serve makes every node translate port 80 of the services to port 8080 of their
// pods. A pod can be masqueraded on its own: with its own address as the service's.
func (c *cluster) serve(services ...service) {
	var rules [2]strings.Builder // of destinations and of sources
	for _, s := range services {
		for _, to := range []struct{ family, service, pod string }{{"ip", s.ip4, s.pod.ip4}, {"ip6", s.ip6, s.pod.ip6}} {
			if to.service != to.pod {
				fmt.Fprintf(&rules[0], "%s daddr %s tcp dport 80 dnat %[1]s to %[3]s\n",
					to.family, to.service, net.JoinHostPort(to.pod, "8080"))
			}
			if s.masquerade {
				fmt.Fprintf(&rules[1], "ct original %s daddr %s masquerade\n", to.family, to.service)
			}
		}
	}
	for _, n := range c.nodes {
		c.run(fmt.Sprintf(`table inet services {
chain destinations {
%s}
chain prerouting { type nat hook prerouting priority -100; jump destinations; }
chain output { type nat hook output priority -100; jump destinations; }
chain postrouting { type nat hook postrouting priority 100
%s}
}`, rules[0].String(), rules[1].String()), "ip", "netns", "exec", n.netns, "nft", "-f", "-")
	}
}

func (c *cluster) namespace(name string) string {
	full := fmt.Sprintf("wirespan-%d-%s", os.Getpid(), name)
	c.run("", "ip", "netns", "add", full)
	c.t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", full).Run() })
	c.in(full, "ip link set lo up")
	return full
}

// in runs commands in a network namespace.
func (c *cluster) in(netns string, commands ...string) {
	c.t.Helper()
	for _, command := range commands {
		c.run("", append([]string{"ip", "netns", "exec", netns}, strings.Fields(command)...)...)
	}
}

func (c *cluster) run(stdin string, command ...string) {
	c.t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	require.NoError(c.t, err, "%v %s: %s", command, stdin, out)
}
