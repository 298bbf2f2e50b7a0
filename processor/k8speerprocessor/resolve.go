// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"net/netip"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// directory knows who has or had a key: an index that is here, or one that is asked.
type directory interface {
	// Find gives who had a key at a time. The kind is [index.Pending] if the directory
	// does not know yet.
	Find(k index.Key, at int64) (*index.Peer, index.Kind)
	FindExactly(k index.Key, at int64) (*index.Peer, index.Kind)
	// Of says whether an address is of the networks of pods.
	Of(netip.Addr) index.Membership
	// Synced reports whether all of the cluster has been known.
	Synced() bool
	// Answering reports whether what is pending may be known soon.
	Answering() bool
}

// resolver finds who a call's peer is.
type resolver struct {
	directory
	domain string // of the cluster's DNS
}

// answer is who the peer of a call is.
type answer struct {
	kind    index.Kind
	peer    *index.Peer    // who has the address; nil outside the cluster
	reached *index.Peer    // the pod behind it, if that is known
	service *index.Service // that was called, if that is known
	pending bool           // the directory does not know all of this yet
}

// resolve finds the peer. The addresses are the ones that the socket knows, and
// the one that packets really went to. Ports count only at the server's end.
func (r *resolver) resolve(c *call) answer {
	ports := c.side != serverSide
	a := answer{}
	a.peer, a.kind = r.find(c.peer, c, ports, &a)
	if c.nat.IsValid() {
		if p, kind := r.find(c.nat, c, ports, &a); kind == index.Pod {
			a.reached = p
		} else if a.peer == nil && p != nil {
			a.peer, a.kind = p, kind
		}
	}
	if a.peer == nil && a.reached != nil {
		a.peer, a.kind = a.reached, index.Pod
	}
	if a.peer == nil {
		a.kind = r.outside(c.peer.Addr(), a.pending)
	} else if a.peer.Pod != "" && a.reached == nil {
		a.reached = a.peer
	}
	if ports {
		r.findService(c, &a)
	}
	return a
}

func (r *resolver) find(p netip.AddrPort, c *call, ports bool, a *answer) (*index.Peer, index.Kind) {
	if ports && p.Port() != 0 {
		if peer, kind := a.note(r.FindExactly(index.Port(p.Addr(), p.Port(), c.transport), c.at)); peer != nil {
			return peer, kind
		}
	}
	peer, kind := a.note(r.Find(index.Address(p.Addr()), c.at))
	if kind != index.Node {
		return peer, kind
	}
	if ports {
		if service, kind := a.note(r.Find(index.NodePort(p.Port(), c.transport), c.at)); service != nil {
			return service, kind
		}
	}
	if key, ok := index.Container(c.container); ok {
		if pod, kind := a.note(r.Find(key, c.at)); pod != nil {
			return pod, kind
		}
	}
	return peer, kind
}

// note keeps in mind what is pending.
func (a *answer) note(p *index.Peer, k index.Kind) (*index.Peer, index.Kind) {
	if k == index.Pending {
		a.pending = true
		return nil, index.Unknown
	}
	return p, k
}

// findService finds which service was called. A pod's own address leads to it by
// all services that select it: the name that the client used tells them apart, or
// the port.
func (r *resolver) findService(c *call, a *answer) {
	if a.peer == nil {
		if named := r.named(c, a); named != nil && named.Services[0].Type == "ExternalName" {
			a.peer, a.kind, a.service = named, index.ExternalName, named.Services[0]
		}
		return
	}
	switch all := a.peer.Services; {
	case len(all) == 1:
		a.service = all[0]
	case len(all) > 1:
		if named := r.named(c, a); named != nil {
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
func (r *resolver) named(c *call, a *answer) *index.Peer {
	if c.names == "" {
		return nil
	}
	namespace, service, _ := serviceNamed(canonical(c.names), r.domain, c.namespace)
	if service == "" {
		return nil
	}
	p, _ := a.note(r.Find(index.ServiceName(namespace, service), c.at))
	return p
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
// As long as that is not certain, only public addresses are external.
func (r *resolver) outside(a netip.Addr, pending bool) index.Kind {
	switch {
	case a.IsLoopback():
		return index.Loopback
	case !a.IsGlobalUnicast(), r.Of(a) == index.Inside, (pending || !r.Synced()) && isPrivate(a):
		return index.Unknown
	}
	return index.External
}

// awaited gives the address that waiting may tell more of: of a pod that may be too
// new, behind an address that is known, too.
func (r *resolver) awaited(c *call, a *answer) (address netip.Addr, ok bool) {
	peer, nat := c.peer.Addr(), c.nat.Addr()
	switch {
	case a.pending:
		return peer, r.Answering()
	case a.reached == nil && nat.IsValid() && r.Of(nat) == index.Inside:
		return nat, true
	case a.peer != nil || a.kind == index.Loopback:
		return peer, false
	}
	m := r.Of(peer)
	return peer, m == index.Inside || m == index.Untold && isPrivate(peer)
}

// settled reports whether waiting can't tell more of a call's peer.
func (r *resolver) settled(c *call, a *answer) bool {
	_, more := r.awaited(c, a)
	return !more
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, which clusters use for pods

func isPrivate(a netip.Addr) bool { return a.IsPrivate() || carrierGrade.Contains(a) }
