// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/clustertest"
	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

const benchPods, benchServices, benchNodes = 50_000, 10_000, 5_000

// protobufLists are lists as an API server sends them.
func protobufLists(b *testing.B) map[string][]byte {
	b.Helper()
	c := clustertest.Large(benchPods, benchServices, benchNodes)
	pods, services := &corev1.PodList{}, &corev1.ServiceList{}
	slices, nodes := &discoveryv1.EndpointSliceList{}, &corev1.NodeList{}
	for _, o := range c.Pods {
		pods.Items = append(pods.Items, *o)
	}
	for _, o := range c.Services {
		services.Items = append(services.Items, *o)
	}
	for _, o := range c.Slices {
		slices.Items = append(slices.Items, *o)
	}
	for _, o := range c.Nodes {
		nodes.Items = append(nodes.Items, *o)
	}
	codec := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	lists := map[string][]byte{}
	for name, list := range map[string]struct {
		kruntime.Object
		group, kind string
	}{
		"pods": {pods, "", "PodList"}, "services": {services, "", "ServiceList"},
		"endpointslices": {slices, "discovery.k8s.io", "EndpointSliceList"}, "nodes": {nodes, "", "NodeList"},
	} {
		list.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{Group: list.group, Version: "v1", Kind: list.kind})
		text, err := kruntime.Encode(codec, list.Object)
		require.NoError(b, err)
		lists[name] = text
	}
	return lists
}

// BenchmarkStart is from the first request until everything is in the index. The
// server does what servers do whose lists can't be streamed: each comes in one
// piece, of which nothing is dropped before it has been decoded.
func BenchmarkStart(b *testing.B) {
	lists := protobufLists(b)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case q.Get("sendInitialEvents") != "":
			w.WriteHeader(http.StatusUnprocessableEntity)
		case q.Get("watch") != "":
			w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf;stream=watch")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			w.Header().Set("Content-Type", "application/vnd.kubernetes.protobuf")
			_, _ = w.Write(lists[path.Base(r.URL.Path)])
		}
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	for b.Loop() {
		before := heap()
		traffic := &Traffic{}
		conf := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{
			ContentType: "application/vnd.kubernetes.protobuf", AcceptContentTypes: "application/vnd.kubernetes.protobuf",
		}}
		conf.Wrap(traffic.wrap)
		client, err := kubernetes.NewForConfig(conf)
		require.NoError(b, err)
		x := index.New(8, 100_000)
		m := NewModel(Settings{Retention: 15 * time.Minute}, x, &index.Networks{})
		w := NewWatcher(m, NewHealth(func(error) {}))
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan struct{})
		began, cpu := time.Now(), cpuTime()
		go func() { w.Run(ctx, Clients{Objects: client}); close(ended) }()
		for !w.Synced() {
			time.Sleep(time.Millisecond)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/start")
		b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s/start") // the server's included
		cancel()
		<-ended
		b.ReportMetric(float64(heap()-before)/1e6, "MB/heap")
		b.ReportMetric(float64(traffic.Bytes())/1e6, "MB/read")
		requests := 0.0
		for _, n := range traffic.Requests() {
			requests += float64(n)
		}
		b.ReportMetric(requests, "requests")
		keys, _ := x.Sizes()
		require.Greater(b, keys, benchPods+benchServices+benchNodes-1)
		runtime.KeepAlive(m)
	}
}

func heap() uint64 {
	debug.FreeOSMemory()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func fill(m *Model, c *clustertest.Cluster) {
	for _, o := range c.Nodes {
		m.setNode(o)
	}
	m.batch = true
	for _, o := range c.Pods {
		m.setPod(o)
	}
	for _, o := range c.Services {
		m.setService(o)
	}
	for _, o := range c.Slices {
		m.setSlice(o)
	}
	m.batch = false
	m.settle()
}

// BenchmarkFind looks up pods' addresses: all of a large cluster in turns, which
// no cache holds, and those of as many peers as one node's pods have.
func BenchmarkFind(b *testing.B) {
	x := index.New(8, 100_000)
	m := NewModel(Settings{}, x, &index.Networks{})
	c := clustertest.Large(benchPods, benchServices, benchNodes)
	fill(m, c)
	now := time.Now().UnixNano()
	for _, peers := range []int{len(c.Pods), 1000} {
		addrs := make([]netip.Addr, peers)
		for i := range addrs {
			addrs[i] = netip.MustParseAddr(c.Pods[i*7919%len(c.Pods)].Status.PodIP)
		}
		b.Run(fmt.Sprintf("of=%d", peers), func(b *testing.B) {
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			i, before := 0, threadTime()
			for b.Loop() {
				if p, _ := x.Find(index.Address(addrs[i]), now); p == nil {
					b.Fatal("not found")
				}
				if i++; i == len(addrs) {
					i = 0
				}
			}
			b.ReportMetric(float64(b.N)/(threadTime()-before).Seconds()/1e6, "M/cpu-s")
		})
	}
	runtime.KeepAlive(m)
}

// cpuTime is what this process has used: others use the machine as well.
func cpuTime() time.Duration { return used(syscall.RUSAGE_SELF) }

// threadTime is what this thread has used, without the collector of what the
// benchmark was prepared with.
func threadTime() time.Duration { return used(syscall.RUSAGE_THREAD) }

func used(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkChange is one pod that replaces another one.
func BenchmarkChange(b *testing.B) {
	m := NewModel(Settings{}, index.New(8, 100_000), &index.Networks{})
	c := clustertest.Large(benchPods, benchServices, benchNodes)
	fill(m, c)
	b.ReportAllocs()
	i, before := 0, cpuTime()
	for b.Loop() {
		old := c.Pods[i%len(c.Pods)]
		m.dropPod(name{old.Namespace, old.Name}, time.Now())
		m.settle()
		m.setPod(old)
		m.settle()
		i++
	}
	b.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}
