// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net/netip"
	"strings"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// What names a pod's service, as the conventions for Kubernetes attributes have it.
const (
	labelName           = "app.kubernetes.io/name"
	labelInstance       = "app.kubernetes.io/instance"
	annotationName      = "resource.opentelemetry.io/service.name"
	annotationNamespace = "resource.opentelemetry.io/service.namespace"
)

// pod is what is held of a pod. One that endpoints name before it is known has no
// peer.
type pod struct {
	peer      *index.Peer
	keys      []held
	since     int64
	node      *node
	over      bool // it runs no more
	endpoints []endpointOf
}

// endpointOf is a service that selects a pod, and how many of its slices say so.
type endpointOf struct {
	service *service
	slices  int
}

func (m *Model) pod(n name) *pod {
	p := m.pods[n]
	if p == nil {
		p = &pod{}
		m.pods[n] = p
	}
	return p
}

// setPod takes a pod as it is now.
func (m *Model) setPod(o *corev1.Pod) {
	n := name{o.Namespace, o.Name}
	if known := m.pods[n]; known != nil && known.peer != nil && known.peer.PodUID != string(o.UID) {
		m.dropPod(n, m.now()) // another one of the same name
	}
	over := o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed
	end := ended(o, m.now())
	if over && m.pods[n] == nil && end.Before(m.now().Add(-m.set.Retention)) {
		return
	}
	p := m.pod(n)
	m.moveTo(p, o.Spec.NodeName)
	peer := m.podPeer(o, p)
	if p.peer != nil && p.peer.Same(peer) {
		peer = p.peer
	}
	p.since = began(o).UnixNano()
	if !p.over {
		keys := m.podKeys(o, peer)
		m.publishKeys(p.keys, keys, func(held) int64 { return p.since })
		p.keys = keys
	}
	p.peer, p.over = peer, over
	if over { // its object may stay for long, with an address that others have by then
		m.endKeys(p, end)
	}
	m.markSelecting(p)
}

// dropPod takes a pod that is no more.
func (m *Model) dropPod(n name, end time.Time) {
	p := m.pods[n]
	if p == nil {
		return
	}
	m.endKeys(p, end)
	m.moveTo(p, "")
	p.peer, p.over = nil, false
	m.markSelecting(p)
	if len(p.endpoints) == 0 {
		delete(m.pods, n)
	}
}

func (m *Model) endKeys(p *pod, end time.Time) {
	for _, h := range p.keys {
		m.index.End(h.key, h.peer, end.UnixNano())
	}
	p.keys = nil
}

func (m *Model) markSelecting(p *pod) {
	for _, e := range p.endpoints {
		m.markDirty(e.service)
	}
}

func (m *Model) podPeer(o *corev1.Pod, p *pod) *index.Peer {
	peer := &index.Peer{
		Who:      unique.Make(m.identityOf(o)),
		Pod:      o.Name,
		PodUID:   string(o.UID),
		Services: p.services(),
		Labels:   pick(m.set.PodLabels, o.Labels),
	}
	if p.node != nil {
		peer.Node = p.node.info
	}
	return peer
}

// identityOf gives the pod's workload, and the names that k8s_attributes gives the
// pod's own telemetry.
func (m *Model) identityOf(o *corev1.Pod) index.Identity {
	id := index.Identity{Namespace: o.Namespace, ServiceNamespace: o.Namespace, Workload: m.workloadOf(o)}
	id.ServiceName = firstOf(o.Labels[labelInstance], o.Labels[labelName], id.Workload.Name(), o.Name)
	if m.set.Annotations {
		id.ServiceName = firstOf(o.Annotations[annotationName], id.ServiceName)
		id.ServiceNamespace = firstOf(o.Annotations[annotationNamespace], id.ServiceNamespace)
	}
	return id
}

// podKeys gives what a pod is found by. Pods in the host's network have the
// node's addresses, so theirs are only ports and containers.
func (m *Model) podKeys(o *corev1.Pod, peer *index.Peer) []held {
	var keys []held
	add := func(k index.Key) {
		if find(keys, k) == nil {
			keys = append(keys, held{k, index.Pod, peer})
		}
	}
	if o.Spec.HostNetwork {
		eachStatus(o, func(s *corev1.ContainerStatus) {
			if _, id, ok := strings.Cut(s.ContainerID, "://"); ok {
				if k, ok := index.Container(id); ok {
					add(k)
				}
			}
		})
	} else {
		for _, a := range addresses(o.Status.PodIP, o.Status.PodIPs) {
			add(index.Address(a))
		}
	}
	hosts := hostAddresses(o)
	eachPort(o, func(p *corev1.ContainerPort) {
		on := hosts
		if a, err := netip.ParseAddr(p.HostIP); err == nil && !a.IsUnspecified() {
			on = []netip.Addr{a}
		}
		for _, a := range on {
			add(index.Port(a, uint16(p.HostPort), protocolOf(p.Protocol)))
		}
	})
	if keys == nil {
		return nil
	}
	return keys[:len(keys):len(keys)]
}

// eachPort calls f with each port that a pod has on its node.
func eachPort(o *corev1.Pod, f func(*corev1.ContainerPort)) {
	for _, containers := range [][]corev1.Container{o.Spec.InitContainers, o.Spec.Containers} {
		for i := range containers {
			for _, p := range containers[i].Ports {
				if o.Spec.HostNetwork {
					p.HostPort = p.ContainerPort
				}
				if p.HostPort != 0 {
					f(&p)
				}
			}
		}
	}
}

func eachStatus(o *corev1.Pod, f func(*corev1.ContainerStatus)) {
	for _, statuses := range [][]corev1.ContainerStatus{o.Status.InitContainerStatuses, o.Status.ContainerStatuses} {
		for i := range statuses {
			f(&statuses[i])
		}
	}
}

func addresses(first string, all []corev1.PodIP) []netip.Addr {
	var as []netip.Addr
	for _, ip := range append([]corev1.PodIP{{IP: first}}, all...) {
		if a, err := netip.ParseAddr(ip.IP); err == nil && (len(as) == 0 || as[0] != a) {
			as = append(as, a)
		}
	}
	return as
}

func hostAddresses(o *corev1.Pod) []netip.Addr {
	ips := make([]corev1.PodIP, 0, len(o.Status.HostIPs))
	for _, ip := range o.Status.HostIPs {
		ips = append(ips, corev1.PodIP(ip))
	}
	return addresses(o.Status.HostIP, ips)
}

// began is when a pod got its addresses: before its first container started, and
// before its node said that the network was ready. Failing these, it is when the
// node took it on. The API has whole seconds, rounded down.
func began(o *corev1.Pod) time.Time {
	var first time.Time
	earlier := func(t metav1.Time) {
		if !t.IsZero() && (first.IsZero() || t.Time.Before(first)) {
			first = t.Time
		}
	}
	for _, c := range o.Status.Conditions {
		if c.Type == corev1.PodReadyToStartContainers && c.Status == corev1.ConditionTrue {
			earlier(c.LastTransitionTime)
		}
	}
	eachStatus(o, func(s *corev1.ContainerStatus) {
		if s.State.Running != nil {
			earlier(s.State.Running.StartedAt)
		}
		for _, t := range []*corev1.ContainerStateTerminated{s.State.Terminated, s.LastTerminationState.Terminated} {
			if t != nil {
				earlier(t.StartedAt)
			}
		}
	})
	if first.IsZero() && o.Status.StartTime != nil {
		first = o.Status.StartTime.Time
	}
	if first.IsZero() {
		first = o.CreationTimestamp.Time
	}
	return first
}

// ended is when the last container of a pod finished if none runs, else now.
func ended(o *corev1.Pod, now time.Time) time.Time {
	var last time.Time
	running := len(o.Status.ContainerStatuses) == 0
	eachStatus(o, func(s *corev1.ContainerStatus) {
		if t := s.State.Terminated; t != nil && t.FinishedAt.After(last) {
			last = t.FinishedAt.Time
		}
		running = running || s.State.Running != nil
	})
	if running || last.IsZero() || !last.Before(now) {
		return now
	}
	return last.Add(time.Second) // it was rounded down
}

// services gives the services that select a pod, in a steady order.
func (p *pod) services() []*index.Service {
	if len(p.endpoints) == 0 {
		return nil
	}
	services := make([]*index.Service, 0, len(p.endpoints))
	for _, e := range p.endpoints {
		if e.service.info != nil {
			services = append(services, e.service.info)
		}
	}
	return services
}

// refresh lets a pod's peer name the services that select it now.
func (m *Model) refresh(p *pod) {
	if p.peer == nil {
		return
	}
	changed := *p.peer
	changed.Services = p.services()
	if changed.Same(p.peer) {
		return
	}
	for i, h := range p.keys {
		m.index.Replace(h.key, h.peer, &changed)
		p.keys[i].peer = &changed
	}
	p.peer = &changed
}

func protocolOf(p corev1.Protocol) index.Protocol {
	switch p {
	case corev1.ProtocolUDP:
		return index.UDP
	case corev1.ProtocolSCTP:
		return index.SCTP
	}
	return index.TCP
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}
