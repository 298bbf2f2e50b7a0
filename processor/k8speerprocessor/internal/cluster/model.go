// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package cluster turns the objects of a Kubernetes API server into an index of
// who has which address. It keeps of each object what the index needs.
package cluster

import (
	"net/netip"
	"sync"
	"time"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// Settings of a model.
type Settings struct {
	PodLabels, ServiceLabels, NodeLabels []string

	// Annotations lets resource.opentelemetry.io/service.name and
	// service.namespace of a pod name it.
	Annotations bool
	// Networks that pods have addresses from, besides those that nodes tell.
	Networks []netip.Prefix
	// Retention is how long a peer that has lost its address is remembered.
	Retention time.Duration
}

// Model is what is known of the cluster. Objects may come in any order.
type Model struct {
	set      Settings
	index    *index.Index
	networks *index.Networks
	now      func() time.Time

	mu       sync.Mutex
	pods     map[name]*pod
	services map[name]*service
	slices   map[name]*slice
	nodes    map[string]*node
	owners   map[string]owners
	batch    bool       // changes of services and networks wait for the end of a list
	dirty    []*service // to be looked at anew
	routed   bool       // networks of nodes have changed
}

// name is that of an object with a namespace.
type name struct{ namespace, name string }

// NewModel makes a model that writes to an index.
func NewModel(set Settings, x *index.Index, networks *index.Networks) *Model {
	m := &Model{
		set: set, index: x, networks: networks, now: time.Now,
		pods: map[name]*pod{}, services: map[name]*service{}, slices: map[name]*slice{},
		nodes: map[string]*node{}, owners: map[string]owners{"ReplicaSet": {}, "Job": {}},
	}
	m.networks.Set(set.Networks)
	return m
}

// Sizes gives how many objects of each kind are held.
func (m *Model) Sizes() (pods, services, slices, nodes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.pods), len(m.services), len(m.slices), len(m.nodes)
}

// Expire forgets what has been over for long enough.
func (m *Model) Expire() {
	m.index.Forget(m.now().Add(-m.set.Retention).UnixNano())
}

// settle brings the index up to date with the objects that changed.
func (m *Model) settle() {
	if m.batch {
		return
	}
	for _, s := range m.dirty {
		s.dirty = false
		m.publish(s)
	}
	m.dirty = nil
	if m.routed {
		m.routed = false
		m.publishNetworks()
	}
}

func (m *Model) markDirty(s *service) {
	if !s.dirty {
		s.dirty = true
		m.dirty = append(m.dirty, s)
	}
}

// held is a key that a peer has.
type held struct {
	key  index.Key
	kind index.Kind
	peer *index.Peer
}

// publishKeys makes the index agree with what is to be held: what is no more ends
// now, what is new begins at its time.
func (m *Model) publishKeys(was, now []held, from func(held) int64) {
	for _, h := range was {
		if find(now, h.key) == nil {
			m.index.End(h.key, h.peer, m.now().UnixNano())
		}
	}
	for i, h := range now {
		old := find(was, h.key)
		switch {
		case old == nil || old.kind != h.kind || old.peer.Pod != h.peer.Pod || old.peer.PodUID != h.peer.PodUID:
			m.index.Set(h.key, h.kind, h.peer, from(h))
		case old.peer.Same(h.peer):
			now[i].peer = old.peer
		default:
			m.index.Replace(h.key, old.peer, h.peer)
		}
	}
}

func find(in []held, k index.Key) *held {
	for i := range in {
		if in[i].key == k {
			return &in[i]
		}
	}
	return nil
}

// pick gives the selected labels that an object has.
func pick(selected []string, labels map[string]string) []index.Label {
	var picked []index.Label
	for i, key := range selected {
		if value, ok := labels[key]; ok {
			picked = append(picked, index.Label{Index: i, Value: value})
		}
	}
	return picked
}
