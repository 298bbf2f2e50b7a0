// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"net/netip"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// resolver finds who a call's peer is.
type resolver struct {
	index    *index.Index
	networks *index.Networks
	synced   func() bool
	domain   string // of the cluster's DNS
}

// answer is who the peer of a call is.
type answer struct {
	kind    index.Kind
	peer    *index.Peer    // who has the address; nil outside the cluster
	reached *index.Peer    // the pod behind it, if that is known
	service *index.Service // that was called, if that is known
}

// resolve finds the peer. The addresses are the ones that the socket knows, and
// the one that packets really went to. Ports count only at the server's end.
func (r *resolver) resolve(c *call) answer {
	ports := c.side != serverSide
	a := answer{}
	a.peer, a.kind = r.find(c.peer, c, ports)
	if c.nat.IsValid() {
		if p, kind := r.find(c.nat, c, ports); kind == index.Pod {
			a.reached = p
		} else if a.peer == nil && p != nil {
			a.peer, a.kind = p, kind
		}
	}
	if a.peer == nil && a.reached != nil {
		a.peer, a.kind = a.reached, index.Pod
	}
	if a.peer == nil {
		a.kind = r.outside(c.peer.Addr())
	} else if a.peer.Pod != "" && a.reached == nil {
		a.reached = a.peer
	}
	if ports {
		r.findService(c, &a)
	}
	return a
}

func (r *resolver) find(p netip.AddrPort, c *call, ports bool) (*index.Peer, index.Kind) {
	if ports && p.Port() != 0 {
		if peer, kind := r.index.FindExactly(index.Port(p.Addr(), p.Port(), c.transport), c.at); peer != nil {
			return peer, kind
		}
	}
	peer, kind := r.index.Find(index.Address(p.Addr()), c.at)
	if kind != index.Node {
		return peer, kind
	}
	if ports {
		if service, kind := r.index.Find(index.NodePort(p.Port(), c.transport), c.at); service != nil {
			return service, kind
		}
	}
	if key, ok := index.Container(c.container); ok {
		if pod, kind := r.index.Find(key, c.at); pod != nil {
			return pod, kind
		}
	}
	return peer, kind
}

// findService finds which service was called. A pod's own address leads to it by
// all services that select it: the name that the client used tells them apart, or
// the port.
func (r *resolver) findService(c *call, a *answer) {
	if a.peer == nil {
		if named := r.named(c); named != nil && named.Services[0].Type == "ExternalName" {
			a.peer, a.kind, a.service = named, index.ExternalName, named.Services[0]
		}
		return
	}
	switch all := a.peer.Services; {
	case len(all) == 1:
		a.service = all[0]
	case len(all) > 1:
		if named := r.named(c); named != nil {
			a.service = sameService(all, named.Services[0])
		}
		if a.service == nil {
			a.service = byTarget(all, index.Target{Port: c.peer.Port(), Protocol: c.transport})
		}
	}
	if a.kind == index.Pod && a.service != nil && a.service.Headless {
		a.kind = index.Headless
	}
}

// named gives the service that the call's name for its server stands for.
func (r *resolver) named(c *call) *index.Peer {
	if c.names == "" {
		return nil
	}
	namespace, service, _ := serviceNamed(canonical(c.names), r.domain, c.namespace)
	return r.index.Named(namespace, service)
}

func sameService(all []*index.Service, named *index.Service) *index.Service {
	for _, s := range all {
		if s.Namespace == named.Namespace && s.Name == named.Name {
			return s
		}
	}
	return nil
}

// byTarget gives the only service that leads to a port.
func byTarget(all []*index.Service, t index.Target) (only *index.Service) {
	for _, s := range all {
		for _, target := range s.Targets {
			if target != t {
				continue
			}
			if only != nil {
				return nil
			}
			only = s
		}
	}
	return only
}

// outside classifies an address that nobody in the cluster is known to have had.
// As long as not all of the cluster is known, only public addresses are external
// for certain.
func (r *resolver) outside(a netip.Addr) index.Kind {
	switch {
	case a.IsLoopback():
		return index.Loopback
	case !a.IsGlobalUnicast(), r.networks.Contain(a), !r.synced() && isPrivate(a):
		return index.Unknown
	}
	return index.External
}

// mayBePod reports whether an address that is not known could be that of a pod
// which is too new.
func (r *resolver) mayBePod(a netip.Addr) bool {
	if r.networks.Known() {
		return r.networks.Contain(a)
	}
	return isPrivate(a)
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, which clusters use for pods

func isPrivate(a netip.Addr) bool { return a.IsPrivate() || carrierGrade.Contains(a) }
