// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net/netip"
	"slices"
	"unique"

	corev1 "k8s.io/api/core/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// service is what is held of a service. One that slices name before it is known
// has no info.
type service struct {
	info    *index.Service
	since   int64
	ports   []port
	own     []address // all ports of these are the service's
	slices  []*slice
	keys    []held
	whole   *index.Peer // what it is without regard to ports
	dirty   bool
	reached bool // some endpoint was known when it was published
}

type port struct {
	name     string
	number   uint16
	node     uint16
	protocol index.Protocol
}

type address struct {
	addr netip.Addr
	kind index.Kind
}

func (m *Model) service(n name) *service {
	s := m.services[n]
	if s == nil {
		s = &service{}
		m.services[n] = s
	}
	return s
}

func (m *Model) setService(o *corev1.Service) {
	s := m.service(name{o.Namespace, o.Name})
	s.since = o.CreationTimestamp.UnixNano()
	s.own = serviceAddresses(o)
	s.ports = s.ports[:0]
	for _, p := range o.Spec.Ports {
		s.ports = append(s.ports, port{p.Name, uint16(p.Port), uint16(p.NodePort), protocolOf(p.Protocol)})
	}
	m.describe(s, &index.Service{
		Namespace: o.Namespace,
		Name:      o.Name,
		Type:      string(o.Spec.Type),
		Headless:  o.Spec.ClusterIP == corev1.ClusterIPNone,
		Labels:    pick(m.set.ServiceLabels, o.Labels),
		Targets:   s.targets(),
	})
	m.markDirty(s)
}

// describe gives a service a description, and its pods that of it.
func (m *Model) describe(s *service, info *index.Service) {
	if s.info != nil && info != nil && s.info.Same(info) {
		return
	}
	s.info = info
	for _, sl := range s.slices {
		for _, p := range sl.pods {
			m.refresh(p)
		}
	}
}

func (m *Model) dropService(n name) {
	s := m.services[n]
	if s == nil {
		return
	}
	m.describe(s, nil)
	s.own, s.ports = nil, nil
	m.markDirty(s)
	if len(s.slices) == 0 {
		delete(m.services, n)
	}
}

func serviceAddresses(o *corev1.Service) []address {
	var as []address
	add := func(kind index.Kind, texts ...string) {
		for _, text := range texts {
			a, err := netip.ParseAddr(text)
			if err == nil && !slices.ContainsFunc(as, func(b address) bool { return b.addr == a }) {
				as = append(as, address{a, kind})
			}
		}
	}
	add(index.ClusterIP, o.Spec.ClusterIP)
	add(index.ClusterIP, o.Spec.ClusterIPs...)
	for _, in := range o.Status.LoadBalancer.Ingress {
		add(index.LoadBalancer, in.IP)
	}
	add(index.ExternalIP, o.Spec.ExternalIPs...)
	return as
}

// publish writes a service's addresses to the index. A port whose only endpoint
// is one pod leads to that pod. On all other ports it is the service as such.
func (m *Model) publish(s *service) {
	var keys []held
	var whole *index.Peer
	if s.info != nil {
		whole = s.peer()
		if s.whole != nil && s.whole.Same(whole) {
			whole = s.whole
		}
		keys = s.wanted(whole)
	}
	m.publishKeys(s.keys, keys, func(h held) int64 { return m.since(s, h) })
	s.keys, s.whole, s.reached = keys, whole, s.leadsSomewhere()
}

// wanted gives the keys that a service is to have.
func (s *service) wanted(whole *index.Peer) []held {
	var keys []held
	add := func(k index.Key, kind index.Kind, p *index.Peer) {
		if find(keys, k) == nil {
			keys = append(keys, held{k, kind, p})
		}
	}
	add(index.ServiceName(s.info.Namespace, s.info.Name), index.Headless, whole)
	for _, a := range s.own {
		add(index.Address(a.addr), a.kind, whole)
	}
	for i := range s.ports {
		p := &s.ports[i]
		peer := whole
		if only := s.only(p); only != nil {
			peer = only.reached(s.info)
		}
		for _, a := range s.own {
			if peer != whole || a.kind != index.ClusterIP { // several services may share such an address
				add(index.Port(a.addr, p.number, p.protocol), a.kind, peer)
			}
		}
		if p.node != 0 {
			add(index.NodePort(p.node, p.protocol), index.NodePortKind, peer)
		}
	}
	return keys
}

// since is from when on a key means what it means now. A service without known
// endpoints before led to the one that it has now ever since that was there.
func (m *Model) since(s *service, h held) int64 {
	if p := m.pods[name{s.info.Namespace, h.peer.Pod}]; p != nil && !s.reached {
		return max(s.since, p.since)
	}
	if find(s.keys, h.key) == nil && h.peer.Pod == "" {
		return s.since
	}
	return m.now().UnixNano()
}

// peer describes a service without saying which pod it leads to.
func (s *service) peer() *index.Peer {
	id := index.Identity{ServiceName: s.info.Name, ServiceNamespace: s.info.Namespace, Namespace: s.info.Namespace}
	if common, ok := s.common(); ok {
		id.ServiceName, id.ServiceNamespace, id.Workload = common.ServiceName, common.ServiceNamespace, common.Workload
	}
	return &index.Peer{Who: unique.Make(id), Services: []*index.Service{s.info}}
}

// common gives what all endpoints have in common, if that includes their names.
func (s *service) common() (common index.Identity, ok bool) {
	var last unique.Handle[index.Identity]
	for _, sl := range s.slices {
		for _, p := range sl.pods {
			if p.peer == nil || sl.others > 0 {
				return common, false
			}
			if ok && p.peer.Who == last {
				continue
			}
			last = p.peer.Who
			id := last.Value()
			if !ok {
				common, ok = id, true
				continue
			}
			if id.ServiceName != common.ServiceName || id.ServiceNamespace != common.ServiceNamespace {
				return common, false
			}
			common.Workload = shared(common.Workload, id.Workload)
		}
	}
	return common, ok
}

// shared gives what two workloads have in common: during the rollout of a
// Deployment that, but not the ReplicaSet.
func shared(a, b index.Workload) index.Workload {
	same := func(x, y string) string {
		if x == y {
			return x
		}
		return ""
	}
	return index.Workload{
		Deployment: same(a.Deployment, b.Deployment), ReplicaSet: same(a.ReplicaSet, b.ReplicaSet),
		StatefulSet: same(a.StatefulSet, b.StatefulSet), DaemonSet: same(a.DaemonSet, b.DaemonSet),
		CronJob: same(a.CronJob, b.CronJob), Job: same(a.Job, b.Job),
	}
}

// only gives the pod that a port leads to if there is just one, ready or not:
// connections to one that is ready no more go on.
func (s *service) only(p *port) *pod {
	var only *pod
	for _, sl := range s.slices {
		if !sl.serves(p) {
			continue
		}
		for _, one := range sl.pods {
			if only != nil && only != one || one.peer == nil {
				return nil
			}
			only = one
		}
		if sl.others > 0 {
			return nil
		}
	}
	return only
}

// reached is the peer of a call to a service that leads to this pod alone.
func (p *pod) reached(s *index.Service) *index.Peer {
	peer := *p.peer
	peer.Services = []*index.Service{s}
	return &peer
}

// targets gives the ports of a service's endpoints.
func (s *service) targets() []index.Target {
	var targets []index.Target
	for _, sl := range s.slices {
		for _, p := range sl.ports {
			if t := (index.Target{Port: p.number, Protocol: p.protocol}); p.number != 0 && !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
		}
	}
	return targets
}

// leadsSomewhere reports whether any endpoint is known.
func (s *service) leadsSomewhere() bool {
	return slices.ContainsFunc(s.slices, func(sl *slice) bool {
		return sl.others > 0 || slices.ContainsFunc(sl.pods, func(p *pod) bool { return p.peer != nil })
	})
}
