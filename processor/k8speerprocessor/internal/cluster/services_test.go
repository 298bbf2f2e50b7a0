// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

var clusterIP = addr("10.96.0.7")

func payService(kind corev1.ServiceType) *corev1.Service {
	return clustertest.Service("production", "pay", kind, clusterIP.String())
}

func TestServiceWithOneEndpointLeadsToIt(t *testing.T) {
	w := newWorld(t, Settings{})
	only, s := payment("a", "10.1.0.5"), payService(corev1.ServiceTypeClusterIP)
	w.add(only, s, clustertest.Slice(s, only))
	key := index.Port(clusterIP, 80, index.TCP)
	p, id, kind := w.find(key)
	assert.Equal(t, index.ClusterIP, kind)
	assert.Equal(t, only.Name, p.Pod)
	assert.Equal(t, "payment", id.ServiceName)
	require.Len(t, p.Services, 1)
	assert.Equal(t, "pay", p.Services[0].Name)
	assert.Equal(t, only.Name, w.podAt(key, clustertest.Began.Add(time.Second)), "ever since it was there")

	assert.Empty(t, w.now(index.Port(clusterIP, 81, index.TCP)), "no port of the service")
	assert.Equal(t, "a cluster_ip", w.now(index.Address(clusterIP)))
}

func TestServiceWithTwoEndpointsIsAsTheyAre(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b, s := payment("a", "10.1.0.5"), payment("b", "10.1.0.6"), payService(corev1.ServiceTypeClusterIP)
	b.OwnerReferences = clustertest.Owner("ReplicaSet", "payment-newhash")
	b.Labels["pod-template-hash"] = "newhash"
	w.add(clustertest.Slice(s, a, b), s, a, b) // in any order
	assert.Empty(t, w.now(index.Port(clusterIP, 80, index.TCP)))
	p, id, _ := w.find(index.Address(clusterIP))
	assert.Empty(t, p.Pod)
	assert.Equal(t, index.Identity{
		ServiceName: "payment", ServiceNamespace: "production", Namespace: "production", Workload: index.Workload{Deployment: "payment"},
	}, id)
	named, _, _ := w.find(index.ServiceName("production", "pay"))
	assert.Same(t, p, named)
}

func TestServiceOfDifferentWorkloadsIsItself(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b, s := payment("a", "10.1.0.5"), clustertest.Pod("production", "other", "h", "b", "10.1.0.6", "node-1"), payService(corev1.ServiceTypeClusterIP)
	w.add(a, b, s, clustertest.Slice(s, a, b))
	_, id, _ := w.find(index.Address(clusterIP))
	assert.Equal(t, index.Identity{ServiceName: "pay", ServiceNamespace: "production", Namespace: "production"}, id)
}

func TestServiceWithoutEndpointsIsItself(t *testing.T) {
	w := newWorld(t, Settings{})
	w.add(payService(corev1.ServiceTypeClusterIP))
	_, id, _ := w.find(index.Address(clusterIP))
	assert.Equal(t, "pay", id.ServiceName)
}

// Endpoints that are no pods: that of the API server itself, for one.
func TestServiceOfAddressesIsItself(t *testing.T) {
	w := newWorld(t, Settings{})
	s := payService(corev1.ServiceTypeClusterIP)
	sl := clustertest.Slice(s, payment("a", "172.16.0.1"))
	sl.Endpoints[0].TargetRef = nil
	w.add(s, sl)
	_, id, _ := w.find(index.Address(clusterIP))
	assert.Equal(t, "pay", id.ServiceName)
	assert.Empty(t, w.now(index.Port(clusterIP, 80, index.TCP)))
}

// While there are two, nobody can tell; before and after there is one.
func TestRollingUpdate(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b, s := payment("a", "10.1.0.5"), payment("b", "10.1.0.6"), payService(corev1.ServiceTypeClusterIP)
	w.add(a, s, clustertest.Slice(s, a))
	at := func(seconds int) time.Time { return clustertest.Began.Add(time.Duration(seconds) * time.Second) }
	w.clock = at(100)
	w.add(b, clustertest.Slice(s, a, b))
	w.clock = at(110)
	w.add(clustertest.Slice(s, b))
	w.clock = at(111)
	w.remove(a)
	key := index.Port(clusterIP, 80, index.TCP)
	for seconds, want := range map[int]string{50: a.Name, 99: a.Name, 105: "", 110: b.Name, 200: b.Name} {
		assert.Equal(t, want, w.podAt(key, at(seconds)), "at %d", seconds)
	}
}

func TestAddressesOfEachKind(t *testing.T) {
	w := newWorld(t, Settings{ServiceLabels: []string{"team"}})
	only, s := payment("a", "10.1.0.5"), payService(corev1.ServiceTypeLoadBalancer)
	s.Labels = map[string]string{"team": "shop"}
	s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, "fd00:96::7")
	s.Spec.ExternalIPs = []string{"203.0.113.9"}
	s.Spec.Ports[0].NodePort = 30080
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.8"}, {Hostname: "lb.example.com"}}
	w.add(only, s, clustertest.Slice(s, only))
	for ip, want := range map[string]index.Kind{
		"10.96.0.7": index.ClusterIP, "fd00:96::7": index.ClusterIP, "203.0.113.8": index.LoadBalancer, "203.0.113.9": index.ExternalIP,
	} {
		for _, k := range []index.Key{index.Address(addr(ip)), index.Port(addr(ip), 80, index.TCP)} {
			p, _, kind := w.find(k)
			assert.Equal(t, want, kind, ip)
			assert.Equal(t, []index.Label{{Index: 0, Value: "shop"}}, p.Services[0].Labels)
			assert.Equal(t, "LoadBalancer", p.Services[0].Type)
		}
	}
	p, _, kind := w.find(index.NodePort(30080, index.TCP))
	assert.Equal(t, index.NodePortKind, kind)
	assert.Equal(t, only.Name, p.Pod)
}

// Load balancers may have one address for services with different ports.
func TestSharedAddressIsToldApartByPort(t *testing.T) {
	w := newWorld(t, Settings{})
	for i, n := range []string{"web", "mail"} {
		s := clustertest.Service("production", n, corev1.ServiceTypeLoadBalancer, clustertest.Address("10.96.0.1", i))
		s.Spec.Ports[0].Port = int32(80 + i)
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "203.0.113.8"}}
		w.add(s)
	}
	_, web, _ := w.find(index.Port(addr("203.0.113.8"), 80, index.TCP))
	_, mail, _ := w.find(index.Port(addr("203.0.113.8"), 81, index.TCP))
	assert.Equal(t, "web", web.ServiceName)
	assert.Equal(t, "mail", mail.ServiceName)
}

func TestHeadlessServiceIsKnownByItsPods(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b := payment("0", "10.1.0.5"), payment("1", "10.1.0.6")
	s := payService(corev1.ServiceTypeClusterIP)
	s.Spec.ClusterIP, s.Spec.ClusterIPs = corev1.ClusterIPNone, []string{corev1.ClusterIPNone}
	w.add(a, b, s, clustertest.Slice(s, a, b))
	p, _, kind := w.find(index.Address(addr("10.1.0.6")))
	assert.Equal(t, index.Pod, kind)
	require.Len(t, p.Services, 1)
	assert.True(t, p.Services[0].Headless)
	assert.Equal(t, []index.Target{{Port: 8080, Protocol: index.TCP}}, p.Services[0].Targets)
	w.remove(clustertest.Slice(s, a, b))
	p, _, _ = w.find(index.Address(addr("10.1.0.6")))
	assert.Empty(t, p.Services)
}

// Slices of both families name the same pods.
func TestDualStackServiceHasEachPodOnce(t *testing.T) {
	w := newWorld(t, Settings{})
	only, s := payment("a", "10.1.0.5"), payService(corev1.ServiceTypeClusterIP)
	v4, v6 := clustertest.Slice(s, only), clustertest.Slice(s, only)
	v6.Name, v6.AddressType = "pay-v6", discoveryv1.AddressTypeIPv6
	w.add(only, s, v4, v6)
	assert.Equal(t, only.Name, w.now(index.Port(clusterIP, 80, index.TCP)))
	w.remove(v4)
	assert.Equal(t, only.Name, w.now(index.Port(clusterIP, 80, index.TCP)))
	p, _, _ := w.find(index.Address(addr("10.1.0.5")))
	assert.Len(t, p.Services, 1)
	w.remove(v6)
	assert.Empty(t, w.now(index.Port(clusterIP, 80, index.TCP)))
}

func TestExternalNameIsKnownByName(t *testing.T) {
	w := newWorld(t, Settings{})
	s := payService(corev1.ServiceTypeExternalName)
	s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.ExternalName = "", nil, "api.example.com"
	w.add(s)
	key := index.ServiceName("production", "pay")
	p, _, _ := w.find(key)
	assert.Equal(t, "ExternalName", p.Services[0].Type)
	w.remove(s)
	assert.Empty(t, w.now(key))
}

func TestNothingIsHeldOfWhatIsGone(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b, s := payment("a", "10.1.0.5"), payment("b", "10.1.0.6"), payService(corev1.ServiceTypeClusterIP)
	node, sl := clustertest.Node("node-1", "172.16.0.1", "10.1.0.0/24"), clustertest.Slice(s, a, b)
	all := []clustertest.Object{a, b, s, node, sl}
	for first := range all { // in whatever order
		order := append(append([]clustertest.Object(nil), all[first:]...), all[:first]...)
		w.add(order...)
		w.remove(order...)
		assert.Empty(t, w.Model.pods)
		assert.Empty(t, w.Model.services)
		assert.Empty(t, w.Model.slices)
		assert.Empty(t, w.Model.nodes)
	}
	w.clock = w.clock.Add(2 * time.Hour)
	w.Expire()
	keys, past := w.index.Sizes()
	assert.Zero(t, keys)
	assert.Zero(t, past)
}

// A list that replaces all that was known ends what is not in it.
func TestListReplacesWhatIsKnown(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b := payment("a", "10.1.0.5"), payment("b", "10.1.0.6")
	s, node := payService(corev1.ServiceTypeClusterIP), clustertest.Node("node-1", "172.16.0.1", "")
	w.add(a, s, node, clustertest.Slice(s, a))
	require.NoError(t, w.pods.Replace([]any{b}, "9"))
	require.NoError(t, w.services.Replace(nil, "9"))
	require.NoError(t, w.slices.Replace(nil, "9"))
	require.NoError(t, w.nodes.Replace(nil, "9"))
	assert.Empty(t, w.now(index.Address(addr("10.1.0.5"))))
	assert.Equal(t, b.Name, w.now(index.Address(addr("10.1.0.6"))))
	assert.Empty(t, w.now(index.Address(clusterIP)))
	assert.Empty(t, w.now(index.Address(addr("172.16.0.1"))))
	pods, services, slices, nodes := w.Sizes()
	assert.Equal(t, []int{1, 0, 0, 1}, []int{pods, services, slices, nodes}, "b's node is known by name")
}

// What the transforms drop is nothing that the model reads.
func TestStrippedObjectsSayTheSame(t *testing.T) {
	const id = "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	build := func(strip bool) *world {
		w := newWorld(t, Settings{PodLabels: []string{"app"}, ServiceLabels: []string{"example.com/label-1"}, Annotations: true})
		c := clustertest.Large(40, 10, 5)
		for i, p := range c.Pods {
			p.Annotations[annotationName] = "named-" + p.Name
			if i%5 == 0 {
				p.Spec.HostNetwork = true
				p.Status.HostIP = "172.16.0.9"
				p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: int32(9000 + i)}}
				p.Status.ContainerStatuses[0].ContainerID = id
			}
			if i%7 == 0 {
				p.Status.Phase = corev1.PodFailed
			}
			if strip {
				stripPod(p)
				assert.Empty(t, p.Spec.Volumes)
				assert.Empty(t, p.ManagedFields)
				assert.NotContains(t, p.Annotations, "example.com/checksum")
			}
			w.add(p)
		}
		for _, o := range c.Services {
			if strip {
				stripService(o)
			}
			w.add(o)
		}
		for _, o := range c.Slices {
			if strip {
				stripSlice(o)
			}
			w.add(o)
		}
		for _, o := range c.Nodes {
			if strip {
				stripNode(o)
			}
			w.add(o)
		}
		return w
	}
	whole, stripped := build(false), build(true)
	for n, p := range whole.Model.pods {
		q := stripped.Model.pods[n]
		require.NotNil(t, q)
		assert.Len(t, q.keys, len(p.keys), n.name)
		assert.Equal(t, p.since, q.since)
		assert.Equal(t, p.peer.Who, q.peer.Who)
		assert.Equal(t, p.peer.Labels, q.peer.Labels)
	}
	for n, s := range whole.Model.services {
		assert.Equal(t, s.whole.Who, stripped.Model.services[n].whole.Who)
		assert.Equal(t, s.whole.Services, stripped.Model.services[n].whole.Services)
	}
	a, pastA := whole.index.Sizes()
	b, pastB := stripped.index.Sizes()
	assert.Equal(t, []int{a, pastA}, []int{b, pastB})
}
