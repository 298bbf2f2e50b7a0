// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package peercache

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"
	"unique"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

const (
	benchPods  = 50_000
	benchPeers = 1000
	benchNodes = 100
)

func podAddress(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// largeIndex knows the pods of a large cluster.
func largeIndex() (*index.Index, *index.Networks) {
	x, networks := index.New(8, 100_000), &index.Networks{}
	networks.Set([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	return x, networks
}

func fill(x *index.Index) {
	for i := range benchPods {
		name := fmt.Sprintf("service-%d", i/5)
		x.Set(index.Address(podAddress(i)), index.Pod, &index.Peer{
			Who: unique.Make(index.Identity{
				ServiceName: name, ServiceNamespace: "team", Namespace: "team", Workload: index.Workload{Deployment: name, ReplicaSet: name + "-7d4b8c6f9"},
			}),
			Pod: fmt.Sprintf("%s-7d4b8c6f9-%05d", name, i), PodUID: "01234567-89ab-cdef-0123-456789abcdef",
			Node:     &index.NodeInfo{Name: fmt.Sprintf("node-%d", i%5000)},
			Services: []*index.Service{{Namespace: "team", Name: name, Type: "ClusterIP", Targets: []index.Target{{Port: 8080, Protocol: index.TCP}}}},
		}, 1)
	}
}

type nobody struct{}

func (nobody) Works()                        {}
func (nobody) Failed(context.Context, error) {}

// BenchmarkAgents is a hundred nodes that ask one cache for a thousand peers each,
// all at once.
func BenchmarkAgents(b *testing.B) {
	for b.Loop() {
		x, networks := largeIndex()
		s := NewServer(x, networks, func() bool { return true }, Selection{}, 1<<20, 1<<30)
		fill(x)
		g := grpc.NewServer(Options()...)
		s.Register(g)
		l, err := net.Listen("tcp", "localhost:0")
		require.NoError(b, err)
		go func() { _ = g.Serve(l) }()
		ctx, cancel := context.WithCancel(b.Context())
		before := heap()
		cpu := cpuTime()
		clients, replicas := make([]*Client, benchNodes), make([]*index.Replica, benchNodes)
		ended := make(chan struct{}, benchNodes)
		for n := range clients {
			conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
			require.NoError(b, err)
			replicas[n] = index.NewReplica(8, 32_768)
			for i := range benchPeers {
				replicas[n].Find(index.Address(podAddress((i*13+n*7919)%benchPods)), 1)
			}
			clients[n] = NewClient(replicas[n], nobody{}, Selection{})
			go func() { clients[n].Run(ctx, conn); _ = conn.Close(); ended <- struct{}{} }()
		}
		for _, c := range clients {
			for answers := int64(0); answers < benchPeers; _, answers = c.Counts() {
				time.Sleep(time.Millisecond)
			}
		}
		b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/benchNodes/benchPeers, "cpu-µs/answer") // both ends
		b.ReportMetric(float64(heap()-before)/1e6/benchNodes, "MB/agent")                              // with its part of the cache
		cancel()
		for range clients {
			<-ended
		}
		text, err := json.Marshal(tell{Answers: []answer{newAnswer(x, networks, index.Address(podAddress(7)))}})
		require.NoError(b, err)
		b.ReportMetric(float64(len(text)), "B/answer")
		g.Stop()
		runtime.KeepAlive(replicas)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
