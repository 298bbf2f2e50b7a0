// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"slices"
	"sync/atomic"
	"unique"
)

// Kind says what an address was when it was used.
type Kind uint8

// The kinds of addresses. Those up to ExternalIP are in the index, the others are
// concluded from a name, or from an address that nobody in the cluster has.
const (
	Unknown Kind = iota // looks like an address of the cluster, but nobody is known to have it
	Pod
	Node
	ClusterIP
	NodePortKind
	LoadBalancer
	ExternalIP
	Headless     // a pod's address, of a service without one of its own
	ExternalName // outside, by the name of a service
	External
	Loopback
	Kinds // how many there are
)

// Pending is the kind of a key of which a [Replica] does not know yet.
const Pending Kind = 255

// String is the value of the attribute wirespan.peer.kind.
func (k Kind) String() string {
	return [Kinds]string{
		"unknown", "pod", "node", "cluster_ip", "node_port", "load_balancer", "external_ip", "headless", "external_name", "external", "loopback",
	}[k]
}

// Peer is who has an address. It is immutable once it is in an index. A service's
// address whose endpoint is not certain has no Pod, and of Who only what all
// endpoints have in common.
type Peer struct {
	Who      unique.Handle[Identity]
	Pod      string
	PodUID   string
	Node     *NodeInfo
	Services []*Service // of a service's address that service, of a pod's those that select it
	Labels   []Label    // selected ones of the pod
}

// Same reports whether two peers say the same.
func (p *Peer) Same(q *Peer) bool {
	return p.Who == q.Who && p.Pod == q.Pod && p.PodUID == q.PodUID && p.Node == q.Node &&
		slices.Equal(p.Services, q.Services) && slices.Equal(p.Labels, q.Labels)
}

// Identity is what all pods have in common that the same controller made.
type Identity struct {
	// ServiceName and ServiceNamespace are what the peer's own telemetry has in
	// service.name and service.namespace.
	ServiceName, ServiceNamespace string

	Namespace string
	Workload
}

// Nobody is the identity of what is neither pod nor service.
var Nobody = unique.Make(Identity{})

// Workload is what made a pod, and what made that.
type Workload struct {
	Deployment, ReplicaSet, StatefulSet, DaemonSet, CronJob, Job string
}

// Name is that of the outermost controller.
func (w *Workload) Name() string {
	for _, name := range [...]string{w.Deployment, w.ReplicaSet, w.StatefulSet, w.DaemonSet, w.CronJob, w.Job} {
		if name != "" {
			return name
		}
	}
	return ""
}

// Service is a service of the cluster.
type Service struct {
	Namespace, Name string
	Type            string // ClusterIP, NodePort, LoadBalancer or ExternalName
	Headless        bool
	Labels          []Label // selected ones
	Targets         []Target
}

// Target is a port of a service's endpoints.
type Target struct {
	Port     uint16
	Protocol Protocol
}

// Same reports whether two services say the same.
func (s *Service) Same(o *Service) bool {
	return s.Namespace == o.Namespace && s.Name == o.Name && s.Type == o.Type && s.Headless == o.Headless &&
		slices.Equal(s.Labels, o.Labels) && slices.Equal(s.Targets, o.Targets)
}

// NodeInfo is a node. Its labels change while pods point to it.
type NodeInfo struct {
	Name   string
	labels atomic.Pointer[[]Label]
}

// Labels gives the selected labels of the node.
func (n *NodeInfo) Labels() []Label {
	if l := n.labels.Load(); l != nil {
		return *l
	}
	return nil
}

// SetLabels replaces the labels of the node.
func (n *NodeInfo) SetLabels(labels []Label) { n.labels.Store(&labels) }

// Label is a selected label: which one of the selection, and its value.
type Label struct {
	Index int
	Value string
}
