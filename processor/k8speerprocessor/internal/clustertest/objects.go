// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package clustertest

import (
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Began is when the objects were created that tests make.
var Began = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// Pod makes a running pod of a Deployment.
func Pod(namespace, deployment, hash, suffix, ip, node string) *corev1.Pod {
	replicaSet := deployment + "-" + hash
	name := replicaSet + "-" + suffix
	return &corev1.Pod{
		TypeMeta: metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: UID(namespace, name, ip), CreationTimestamp: metav1.NewTime(Began),
			Labels:          map[string]string{"app": deployment, "pod-template-hash": hash},
			OwnerReferences: Owner("ReplicaSet", replicaSet),
		},
		Spec:   corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "main"}}},
		Status: Running(ip, Began),
	}
}

// UID makes a pod's UID of whatever tells it apart.
func UID(parts ...any) types.UID {
	h := uint64(14695981039346656037) // FNV-1a
	for _, b := range []byte(fmt.Sprint(parts...)) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return types.UID(fmt.Sprintf("%08x-%04x-4000-8000-%012x", h>>32, h>>16&0xffff, h&0xffffffffffff))
}

// Owner makes the reference to a controller.
func Owner(kind, name string) []metav1.OwnerReference {
	controller := true
	return []metav1.OwnerReference{{Kind: kind, Name: name, UID: UID(kind, name), Controller: &controller}}
}

// Running is the status of a pod since a time.
func Running(ip string, since time.Time) corev1.PodStatus {
	t := metav1.NewTime(since)
	return corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: ip, PodIPs: []corev1.PodIP{{IP: ip}}, StartTime: &t,
		ContainerStatuses: []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: t}}}},
	}
}

// Finished is the status of a pod whose container has run from one time to another.
func Finished(ip string, from, to time.Time) corev1.PodStatus {
	s := Running(ip, from)
	s.Phase = corev1.PodSucceeded
	s.ContainerStatuses[0].State = corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(from), FinishedAt: metav1.NewTime(to)},
	}
	return s
}

// Service makes a service with one port, 80, that leads to port 8080.
func Service(namespace, name string, kind corev1.ServiceType, ip string) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{Kind: "Service", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: UID(namespace, name), CreationTimestamp: metav1.NewTime(Began)},
		Spec: corev1.ServiceSpec{
			Type: kind, ClusterIP: ip, ClusterIPs: []string{ip},
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP}},
		},
	}
}

// Slice makes the endpoints of a service of [Service].
func Slice(service *corev1.Service, pods ...*corev1.Pod) *discoveryv1.EndpointSlice {
	name, number, protocol := "http", int32(8080), corev1.ProtocolTCP
	s := &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{Kind: "EndpointSlice", APIVersion: "discovery.k8s.io/v1"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: service.Namespace, Name: service.Name + "-x1", UID: UID(service.Namespace, service.Name, "slice"),
			Labels: map[string]string{discoveryv1.LabelServiceName: service.Name}, CreationTimestamp: metav1.NewTime(Began),
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &number, Protocol: &protocol}},
	}
	for _, p := range pods {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{p.Status.PodIP}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
		})
	}
	return s
}

// Node makes a node with an address and a network of pods.
func Node(name, ip, pods string) *corev1.Node {
	n := &corev1.Node{
		TypeMeta:   metav1.TypeMeta{Kind: "Node", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: UID(name), CreationTimestamp: metav1.NewTime(Began)},
		Status:     corev1.NodeStatus{Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: ip}, {Type: corev1.NodeHostName, Address: name}}},
	}
	if pods != "" {
		n.Spec.PodCIDR, n.Spec.PodCIDRs = pods, []string{pods}
	}
	return n
}

// Cluster is all objects of a cluster.
type Cluster struct {
	Pods     []*corev1.Pod
	Services []*corev1.Service
	Slices   []*discoveryv1.EndpointSlice
	Nodes    []*corev1.Node
}

// Large makes a cluster: pods are dealt out to services and nodes in turns. Each
// object has what real ones have and the processor has no use for.
func Large(pods, services, nodes int) *Cluster {
	c := &Cluster{}
	for i := range nodes {
		n := Node(fmt.Sprintf("node-%d", i), Address("172.16.0.0", i+1), Address("10.0.0.0", i<<8)+"/24")
		fatten(&n.ObjectMeta)
		c.Nodes = append(c.Nodes, n)
	}
	of := make([][]*corev1.Pod, services)
	for i := range pods {
		s := i % services
		p := Pod(fmt.Sprintf("team-%d", s%200), fmt.Sprintf("service-%d", s), "7d4b8c6f9", fmt.Sprintf("%05d", i),
			Address("10.0.0.0", i%nodes<<8+2+i/nodes), fmt.Sprintf("node-%d", i%nodes))
		fatten(&p.ObjectMeta)
		fattenSpec(p)
		of[s] = append(of[s], p)
		c.Pods = append(c.Pods, p)
	}
	for i := range services {
		s := Service(fmt.Sprintf("team-%d", i%200), fmt.Sprintf("service-%d", i), corev1.ServiceTypeClusterIP, Address("192.168.0.0", i+1))
		fatten(&s.ObjectMeta)
		c.Services = append(c.Services, s)
		c.Slices = append(c.Slices, Slice(s, of[i]...))
	}
	return c
}

// Address gives the nth address after one.
func Address(base string, n int) string {
	b := netip.MustParseAddr(base).As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += uint32(n)
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}).String()
}

func fatten(o *metav1.ObjectMeta) {
	if o.Labels == nil {
		o.Labels = map[string]string{}
	}
	for i := range 5 {
		o.Labels[fmt.Sprintf("example.com/label-%d", i)] = "some value of usual length"
	}
	o.Annotations = map[string]string{"example.com/checksum": "3b1f0a5c0c7c4b1d9d5e3c1e2f4a6b8c3b1f0a5c0c7c4b1d9d5e3c1e2f4a6b8c"}
	o.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet", Operation: "Update", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:status":{"f:conditions":{}}}`)}}}
}

func fattenSpec(p *corev1.Pod) {
	c := &p.Spec.Containers[0]
	c.Image = "registry.example.com/team/service:1.2.3"
	for i := range 12 {
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: "some value of usual length"})
	}
	for i := range 4 {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("volume-%d", i), VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: fmt.Sprintf("volume-%d", i), MountPath: fmt.Sprintf("/var/lib/volume-%d", i)})
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: corev1.PodConditionType(fmt.Sprintf("Condition%d", i)), Status: corev1.ConditionTrue})
	}
}
