// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// world is a model whose clock a test sets, and the stores that lead to it.
type world struct {
	*Model
	t        *testing.T
	clock    time.Time
	pods     *store[*corev1.Pod]
	services *store[*corev1.Service]
	slices   *store[*discoveryv1.EndpointSlice]
	nodes    *store[*corev1.Node]
}

func newWorld(t *testing.T, set Settings) *world {
	t.Helper()
	if set.Retention == 0 {
		set.Retention = time.Hour
	}
	w := &world{Model: NewModel(set, index.New(8, 1000), &index.Networks{}), t: t, clock: clustertest.Began.Add(time.Minute)}
	w.Model.now = func() time.Time { return w.clock }
	nothing := func() {}
	w.pods, w.services, w.slices, w.nodes = w.podStore(nothing), w.serviceStore(nothing), w.sliceStore(nothing), w.nodeStore(nothing)
	return w
}

func (w *world) add(objects ...clustertest.Object) {
	w.t.Helper()
	for _, o := range objects {
		switch o := o.(type) {
		case *corev1.Pod:
			require.NoError(w.t, w.pods.Add(o))
		case *corev1.Service:
			require.NoError(w.t, w.services.Add(o))
		case *discoveryv1.EndpointSlice:
			require.NoError(w.t, w.slices.Add(o))
		case *corev1.Node:
			require.NoError(w.t, w.nodes.Add(o))
		}
	}
}

func (w *world) remove(objects ...clustertest.Object) {
	w.t.Helper()
	for _, o := range objects {
		switch o := o.(type) {
		case *corev1.Pod:
			require.NoError(w.t, w.pods.Delete(o))
		case *corev1.Service:
			require.NoError(w.t, w.services.Delete(o))
		case *discoveryv1.EndpointSlice:
			require.NoError(w.t, w.slices.Delete(o))
		case *corev1.Node:
			require.NoError(w.t, w.nodes.Delete(o))
		}
	}
}

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// podAt gives the name of the pod that has a key at a time, or what else has it.
func (w *world) podAt(k index.Key, at time.Time) string {
	p, kind := w.index.FindExactly(k, at.UnixNano())
	switch {
	case p == nil:
		return ""
	case p.Pod != "":
		return p.Pod
	}
	return "a " + kind.String()
}

func (w *world) now(k index.Key) string { return w.podAt(k, w.clock) }

func (w *world) find(k index.Key) (*index.Peer, index.Identity, index.Kind) {
	w.t.Helper()
	p, kind := w.index.FindExactly(k, w.clock.UnixNano())
	require.NotNil(w.t, p)
	return p, p.Who.Value(), kind
}

func payment(suffix, ip string) *corev1.Pod {
	return clustertest.Pod("production", "payment", "7d4b8c6f9", suffix, ip, "node-1")
}

func TestPodOfDeployment(t *testing.T) {
	w := newWorld(t, Settings{PodLabels: []string{"none", "app"}})
	w.add(payment("x2k4m", "10.1.0.5"))
	p, id, kind := w.find(index.Address(addr("10.1.0.5")))
	assert.Equal(t, index.Pod, kind)
	assert.Equal(t, "payment-7d4b8c6f9-x2k4m", p.Pod)
	assert.Equal(t, "node-1", p.Node.Name)
	assert.NotEmpty(t, p.PodUID)
	assert.Equal(t, []index.Label{{Index: 1, Value: "payment"}}, p.Labels)
	assert.Equal(t, index.Identity{
		ServiceName: "payment", ServiceNamespace: "production", Namespace: "production",
		Workload: index.Workload{Deployment: "payment", ReplicaSet: "payment-7d4b8c6f9"},
	}, id)
}

func TestWorkloads(t *testing.T) {
	minutes := clustertest.Began.Unix() / 60
	onTime := "backup-" + itoa(minutes)
	for kind, c := range map[string]struct {
		owner, name string
		labels      map[string]string
		want        index.Workload
		service     string
	}{
		"StatefulSet":       {"StatefulSet", "db", nil, index.Workload{StatefulSet: "db"}, "db"},
		"DaemonSet":         {"DaemonSet", "agent", nil, index.Workload{DaemonSet: "agent"}, "agent"},
		"CronJob":           {"Job", onTime, nil, index.Workload{CronJob: "backup", Job: onTime}, "backup"},
		"Job":               {"Job", "import", nil, index.Workload{Job: "import"}, "import"},
		"Job with a number": {"Job", "import-20260801", nil, index.Workload{Job: "import-20260801"}, "import-20260801"},
		"ReplicaSet":        {"ReplicaSet", "alone", nil, index.Workload{ReplicaSet: "alone"}, "alone"},
		"hash of another":   {"ReplicaSet", "web-abc", map[string]string{"pod-template-hash": "xyz"}, index.Workload{ReplicaSet: "web-abc"}, "web-abc"},
		"label":             {"DaemonSet", "agent", map[string]string{"app.kubernetes.io/name": "logs"}, index.Workload{DaemonSet: "agent"}, "logs"},
		"both labels": {
			"DaemonSet", "agent",
			map[string]string{"app.kubernetes.io/name": "logs", "app.kubernetes.io/instance": "logs-eu"},
			index.Workload{DaemonSet: "agent"},
			"logs-eu",
		},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, Settings{})
			p := payment("x", "10.1.0.5")
			p.OwnerReferences, p.Labels = clustertest.Owner(c.owner, c.name), c.labels
			w.add(p)
			_, id, _ := w.find(index.Address(addr("10.1.0.5")))
			assert.Equal(t, c.want, id.Workload)
			assert.Equal(t, c.service, id.ServiceName)
		})
	}
	w := newWorld(t, Settings{})
	p := payment("x", "10.1.0.5")
	p.OwnerReferences = nil
	w.add(p)
	_, id, _ := w.find(index.Address(addr("10.1.0.5")))
	assert.Equal(t, p.Name, id.ServiceName, "without a workload")
}

func itoa(n int64) string {
	var b []byte
	for ; n > 0; n /= 10 {
		b = append([]byte{byte('0' + n%10)}, b...)
	}
	return string(b)
}

func TestOwnersThatAreWatched(t *testing.T) {
	w := newWorld(t, Settings{})
	sets, jobs := w.ownerStore("ReplicaSet", func() {}), w.ownerStore("Job", func() {})
	owned := func(kind, name, by, of string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, UID: clustertest.UID(kind, name), OwnerReferences: clustertest.Owner(by, of)}}
	}
	require.NoError(t, sets.Replace([]any{owned("ReplicaSet", "rolled-1", "Rollout", "rolled"), owned("ReplicaSet", "odd", "Deployment", "web")}, "1"))
	require.NoError(t, jobs.Replace([]any{owned("Job", "odd", "CronJob", "backup")}, "1"))
	for _, c := range []struct {
		kind, name string
		want       index.Workload
	}{
		{"ReplicaSet", "rolled-1", index.Workload{ReplicaSet: "rolled-1"}},
		{"ReplicaSet", "odd", index.Workload{ReplicaSet: "odd", Deployment: "web"}},
		{"Job", "odd", index.Workload{Job: "odd", CronJob: "backup"}},
	} {
		p := payment("x", "10.1.0.5")
		p.OwnerReferences = clustertest.Owner(c.kind, c.name)
		w.add(p)
		_, id, _ := w.find(index.Address(addr("10.1.0.5")))
		assert.Equal(t, c.want, id.Workload)
	}
	require.NoError(t, sets.Replace(nil, "2"))
	require.NoError(t, jobs.Delete(owned("Job", "odd", "CronJob", "backup")))
	assert.Empty(t, w.owners["ReplicaSet"])
	assert.Empty(t, w.owners["Job"])
}

func TestAnnotationsNameIfWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		w := newWorld(t, Settings{Annotations: wanted})
		p := payment("x", "10.1.0.5")
		p.Annotations = map[string]string{annotationName: "billing", annotationNamespace: "shop"}
		w.add(p)
		_, id, _ := w.find(index.Address(addr("10.1.0.5")))
		if wanted {
			assert.Equal(t, "billing", id.ServiceName)
			assert.Equal(t, "shop", id.ServiceNamespace)
		} else {
			assert.Equal(t, "payment", id.ServiceName)
			assert.Equal(t, "production", id.ServiceNamespace)
		}
	}
}

func TestDualStackPod(t *testing.T) {
	w := newWorld(t, Settings{})
	p := payment("x", "10.1.0.5")
	p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: "fd00::5"})
	w.add(p)
	assert.Equal(t, p.Name, w.now(index.Address(addr("10.1.0.5"))))
	assert.Equal(t, p.Name, w.now(index.Address(addr("fd00::5"))))
	w.remove(p)
	assert.Empty(t, w.now(index.Address(addr("fd00::5"))))
}

func TestPodWithoutAddressGetsOne(t *testing.T) {
	w := newWorld(t, Settings{})
	pending := payment("x", "")
	pending.Status = corev1.PodStatus{Phase: corev1.PodPending}
	w.add(pending)
	running := payment("x", "10.1.0.5")
	running.UID = pending.UID
	w.add(running)
	assert.Equal(t, running.Name, w.podAt(index.Address(addr("10.1.0.5")), clustertest.Began))
}

func TestAddressIsReused(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b := payment("a", "10.1.0.5"), payment("b", "10.1.0.5")
	w.add(a)
	w.clock = clustertest.Began.Add(100 * time.Second)
	w.remove(a)
	b.Status = clustertest.Running("10.1.0.5", clustertest.Began.Add(110*time.Second))
	w.clock = clustertest.Began.Add(120 * time.Second)
	w.add(b)
	key := index.Address(addr("10.1.0.5"))
	at := func(s int) string { return w.podAt(key, clustertest.Began.Add(time.Duration(s)*time.Second)) }
	assert.Equal(t, a.Name, at(99))
	assert.Empty(t, at(105))
	assert.Equal(t, b.Name, at(115))
}

// The sandbox is gone, and the address another's, before the API says so.
func TestAddressIsReusedBeforeItsPodIsDeleted(t *testing.T) {
	w := newWorld(t, Settings{})
	a, b := payment("a", "10.1.0.5"), payment("b", "10.1.0.5")
	b.Status = clustertest.Running("10.1.0.5", clustertest.Began.Add(110*time.Second))
	w.add(a, b)
	w.clock = clustertest.Began.Add(120 * time.Second)
	w.remove(a)
	key := index.Address(addr("10.1.0.5"))
	assert.Equal(t, a.Name, w.podAt(key, clustertest.Began.Add(109*time.Second)))
	assert.Equal(t, b.Name, w.podAt(key, clustertest.Began.Add(110*time.Second)))
	assert.Equal(t, b.Name, w.now(key))
}

// A deleted pod's last state says when it ended.
func TestDeletedPodEndedWithItsContainers(t *testing.T) {
	w := newWorld(t, Settings{})
	a := payment("a", "10.1.0.5")
	w.add(a)
	last := a.DeepCopy()
	last.Status = clustertest.Finished("10.1.0.5", clustertest.Began, clustertest.Began.Add(10*time.Second))
	w.remove(last)
	key := index.Address(addr("10.1.0.5"))
	assert.Equal(t, a.Name, w.podAt(key, clustertest.Began.Add(10*time.Second)))
	assert.Empty(t, w.podAt(key, clustertest.Began.Add(12*time.Second)))
}

// A pod of a StatefulSet comes again with its name.
func TestPodOfTheSameName(t *testing.T) {
	w := newWorld(t, Settings{})
	a := payment("0", "10.1.0.5")
	w.add(a)
	again := payment("0", "10.1.0.6")
	again.Status = clustertest.Running("10.1.0.6", clustertest.Began.Add(50*time.Second))
	w.add(again)
	assert.Empty(t, w.now(index.Address(addr("10.1.0.5"))))
	p, _, _ := w.find(index.Address(addr("10.1.0.6")))
	assert.Equal(t, string(again.UID), p.PodUID)
}

func TestFinishedPodsLeaveTheirAddress(t *testing.T) {
	w := newWorld(t, Settings{})
	key := index.Address(addr("10.1.0.5"))
	job := payment("job", "10.1.0.5")
	job.Status = clustertest.Finished("10.1.0.5", clustertest.Began, clustertest.Began.Add(3*time.Second))
	w.add(job) // first seen when it is over
	w.add(job) // and again
	assert.Equal(t, job.Name, w.podAt(key, clustertest.Began.Add(time.Second)))
	assert.Empty(t, w.now(key))

	other := payment("other", "10.1.0.5")
	other.Status = clustertest.Running("10.1.0.5", clustertest.Began.Add(20*time.Second))
	w.add(other)
	w.add(job)
	assert.Equal(t, other.Name, w.now(key))
	assert.Equal(t, job.Name, w.podAt(key, clustertest.Began.Add(time.Second)))
}

func TestLongFinishedPodsAreNotHeld(t *testing.T) {
	w := newWorld(t, Settings{Retention: time.Minute})
	w.clock = clustertest.Began.Add(time.Hour)
	job := payment("job", "10.1.0.5")
	job.Status = clustertest.Finished("10.1.0.5", clustertest.Began, clustertest.Began.Add(3*time.Second))
	w.add(job)
	pods, _, _, _ := w.Sizes()
	assert.Zero(t, pods)
}

func TestHostNetworkPodsHavePortsOfTheirNode(t *testing.T) {
	w := newWorld(t, Settings{NodeLabels: []string{"zone"}})
	node := clustertest.Node("node-1", "172.16.0.1", "10.1.0.0/24")
	node.Labels = map[string]string{"zone": "a"}
	w.add(node)
	const container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	agent, ingress := payment("agent", "172.16.0.1"), payment("ingress", "10.1.0.7")
	agent.Spec.HostNetwork = true
	agent.Status.HostIP = "172.16.0.1"
	agent.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 9100, Protocol: corev1.ProtocolTCP}}
	agent.Status.ContainerStatuses[0].ContainerID = "containerd://" + container
	ingress.Status.HostIP = "172.16.0.1"
	ingress.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8443, HostPort: 443}, {ContainerPort: 9000}}
	w.add(agent, ingress)
	ip := addr("172.16.0.1")
	p, _, kind := w.find(index.Address(ip))
	assert.Equal(t, index.Node, kind)
	assert.Empty(t, p.Pod)
	assert.Equal(t, []index.Label{{Index: 0, Value: "a"}}, p.Node.Labels())
	assert.Equal(t, agent.Name, w.now(index.Port(ip, 9100, index.TCP)))
	assert.Equal(t, ingress.Name, w.now(index.Port(ip, 443, index.TCP)))
	assert.Empty(t, w.now(index.Port(ip, 9000, index.TCP)))
	key, ok := index.Container(container)
	require.True(t, ok)
	assert.Equal(t, agent.Name, w.now(key))
	assert.Equal(t, ingress.Name, w.now(index.Address(addr("10.1.0.7"))))
}

func TestNodeHasAddressesInThePodNetwork(t *testing.T) {
	w := newWorld(t, Settings{Networks: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}})
	node := clustertest.Node("node-1", "172.16.0.1", "10.1.0.0/24")
	node.Annotations = map[string]string{"projectcalico.org/IPv4VXLANTunnelAddr": "10.1.7.7"}
	w.add(node)
	for _, ip := range []string{"172.16.0.1", "10.1.0.0", "10.1.0.1", "10.1.7.7"} {
		assert.Equal(t, "a node", w.now(index.Address(addr(ip))), ip)
	}
	assert.Equal(t, index.Inside, w.networks.Of(addr("10.1.0.200")))
	assert.Equal(t, index.Inside, w.networks.Of(addr("10.9.0.200")))
	w.remove(node)
	assert.Equal(t, index.Outside, w.networks.Of(addr("10.1.0.200")))
	assert.Equal(t, index.Inside, w.networks.Of(addr("10.9.0.200")))
	assert.Empty(t, w.now(index.Address(addr("172.16.0.1"))))
}
