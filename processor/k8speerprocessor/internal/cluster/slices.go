// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// slice is a part of the endpoints of a service. Those of the two IP families are
// in different slices, so a pod may be in several of one service.
type slice struct {
	of      name
	service *service
	ports   []port
	pods    []*pod
	names   []name
	others  int // endpoints that are no pods
}

func (sl *slice) serves(p *port) bool {
	return slices.ContainsFunc(sl.ports, func(q port) bool { return q.name == p.name && q.protocol == p.protocol })
}

func (m *Model) setSlice(o *discoveryv1.EndpointSlice) {
	n := name{o.Namespace, o.Name}
	of := o.Labels[discoveryv1.LabelServiceName]
	was := m.slices[n]
	if of == "" {
		m.dropSlice(n)
		return
	}
	sl := &slice{of: name{o.Namespace, of}, ports: slicePorts(o)}
	for i := range o.Endpoints {
		e := &o.Endpoints[i]
		if ref := e.TargetRef; ref == nil || ref.Kind != "Pod" {
			sl.others++
		} else {
			sl.names = append(sl.names, name{o.Namespace, ref.Name})
		}
	}
	if was != nil && was.of == sl.of && was.others == sl.others && slices.Equal(was.ports, sl.ports) && slices.Equal(was.names, sl.names) {
		return
	}
	m.link(n, sl)
	if was != nil {
		m.unlink(was)
	}
	m.describeAnew(sl.service)
	m.refreshAll(sl, was)
}

func (m *Model) dropSlice(n name) {
	was := m.slices[n]
	if was == nil {
		return
	}
	delete(m.slices, n)
	m.unlink(was)
	m.describeAnew(was.service)
	m.refreshAll(nil, was)
}

func (m *Model) link(n name, sl *slice) {
	m.slices[n] = sl
	sl.service = m.service(sl.of)
	sl.service.slices = append(sl.service.slices, sl)
	for _, podName := range sl.names {
		p := m.pod(podName)
		sl.pods = append(sl.pods, p)
		p.selectedBy(sl.service, 1)
	}
	m.markDirty(sl.service)
}

func (m *Model) unlink(sl *slice) {
	s := sl.service
	s.slices = slices.DeleteFunc(s.slices, func(other *slice) bool { return other == sl })
	for i, p := range sl.pods {
		p.selectedBy(s, -1)
		if len(p.endpoints) == 0 && p.peer == nil {
			delete(m.pods, sl.names[i])
		}
	}
	if len(s.slices) == 0 && s.info == nil {
		delete(m.services, sl.of)
	}
	m.markDirty(s)
}

// describeAnew takes the ports of endpoints into a service's description.
func (m *Model) describeAnew(s *service) {
	if s.info != nil {
		info := *s.info
		info.Targets = s.targets()
		m.describe(s, &info)
	}
}

func (m *Model) refreshAll(now, was *slice) {
	for _, sl := range []*slice{now, was} {
		if sl == nil {
			continue
		}
		for _, p := range sl.pods {
			m.refresh(p)
		}
	}
}

// selectedBy counts the slices by which a service selects a pod.
func (p *pod) selectedBy(s *service, slicesMore int) {
	i := slices.IndexFunc(p.endpoints, func(e endpointOf) bool { return e.service == s })
	if i < 0 {
		p.endpoints = append(p.endpoints, endpointOf{s, slicesMore})
		return
	}
	if p.endpoints[i].slices += slicesMore; p.endpoints[i].slices == 0 {
		p.endpoints = slices.Delete(p.endpoints, i, i+1)
	}
}

func slicePorts(o *discoveryv1.EndpointSlice) []port {
	ports := make([]port, 0, len(o.Ports))
	for _, p := range o.Ports {
		q := port{}
		if p.Name != nil {
			q.name = *p.Name
		}
		if p.Port != nil {
			q.number = uint16(*p.Port)
		}
		if p.Protocol == nil {
			p.Protocol = new(corev1.Protocol)
		}
		q.protocol = protocolOf(*p.Protocol)
		ports = append(ports, q)
	}
	return ports
}
