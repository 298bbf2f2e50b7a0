// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// Annotations in which network plugins note addresses of a node's own in the
// network of pods.
var tunnelAnnotations = [...]string{
	"projectcalico.org/IPv4IPIPTunnelAddr",
	"projectcalico.org/IPv4VXLANTunnelAddr",
	"projectcalico.org/IPv6VXLANTunnelAddr",
	"projectcalico.org/IPv4WireguardInterfaceAddr",
	"projectcalico.org/IPv6WireguardInterfaceAddr",
	"network.cilium.io/ipv4-cilium-host",
	"network.cilium.io/ipv6-cilium-host",
}

// node is what is held of a node, or of the name of one that is not known.
type node struct {
	info     *index.NodeInfo
	known    bool
	keys     []held
	networks []netip.Prefix
	pods     int
}

func (m *Model) node(nodeName string) *node {
	n := m.nodes[nodeName]
	if n == nil {
		n = &node{info: &index.NodeInfo{Name: nodeName}}
		m.nodes[nodeName] = n
	}
	return n
}

// moveTo notes which node a pod is on.
func (m *Model) moveTo(p *pod, nodeName string) {
	was := p.node
	p.node = nil
	if nodeName != "" {
		p.node = m.node(nodeName)
		p.node.pods++
	}
	if was != nil {
		was.pods--
		m.release(was)
	}
}

func (m *Model) release(n *node) {
	if n.pods == 0 && !n.known {
		delete(m.nodes, n.info.Name)
	}
}

func (m *Model) setNode(o *corev1.Node) {
	n := m.node(o.Name)
	n.known = true
	labels := pick(m.set.NodeLabels, o.Labels)
	relabelled := !m.batch && n.pods > 0 && !slices.Equal(labels, n.info.Labels())
	n.info.SetLabels(labels)
	networks := podNetworks(o)
	if !slices.Equal(networks, n.networks) {
		n.networks = networks
		m.routed = true
	}
	peer := &index.Peer{Node: n.info, Who: index.Nobody}
	var keys []held
	for _, a := range nodeAddresses(o, networks) {
		if k := index.Address(a); find(keys, k) == nil {
			keys = append(keys, held{k, index.Node, peer})
		}
	}
	m.publishKeys(n.keys, keys, func(held) int64 { return o.CreationTimestamp.UnixNano() })
	n.keys = keys
	if relabelled {
		m.touchNode(n)
	}
}

// touchNode tells of all keys that lead to a node: its labels are told with them.
func (m *Model) touchNode(n *node) {
	touch := func(keys []held) {
		for _, h := range keys {
			if h.peer.Node == n.info {
				m.index.Touch(h.key)
			}
		}
	}
	touch(n.keys)
	for _, p := range m.pods {
		touch(p.keys)
	}
	for _, s := range m.services {
		touch(s.keys)
	}
}

func (m *Model) dropNode(nodeName string) {
	n := m.nodes[nodeName]
	if n == nil {
		return
	}
	for _, h := range n.keys {
		m.index.End(h.key, h.peer, m.now().UnixNano())
	}
	m.routed = m.routed || len(n.networks) > 0
	n.known, n.keys, n.networks = false, nil, nil
	m.release(n)
}

// nodeAddresses gives the node's addresses: those that it reports, those that it
// has in the network of its pods, and the first ones of that network, which
// bridges and tunnels have.
func nodeAddresses(o *corev1.Node, networks []netip.Prefix) []netip.Addr {
	var as []netip.Addr
	add := func(text string) {
		if a, err := netip.ParseAddr(text); err == nil {
			as = append(as, a)
		} else if p, err := netip.ParsePrefix(text); err == nil {
			as = append(as, p.Addr())
		}
	}
	for _, a := range o.Status.Addresses {
		if a.Type == corev1.NodeInternalIP || a.Type == corev1.NodeExternalIP {
			add(a.Address)
		}
	}
	for _, key := range tunnelAnnotations {
		add(o.Annotations[key])
	}
	for _, p := range networks {
		if first := p.Masked().Addr(); p.Bits() < first.BitLen()-1 {
			as = append(as, first, first.Next())
		}
	}
	return as
}

func podNetworks(o *corev1.Node) []netip.Prefix {
	texts := o.Spec.PodCIDRs
	if len(texts) == 0 {
		texts = []string{o.Spec.PodCIDR}
	}
	var ps []netip.Prefix
	for _, text := range texts {
		if p, err := netip.ParsePrefix(text); err == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

func (m *Model) publishNetworks() {
	all := append([]netip.Prefix(nil), m.set.Networks...)
	for _, n := range m.nodes {
		all = append(all, n.networks...)
	}
	m.networks.Set(all)
}
