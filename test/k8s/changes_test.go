// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// An address that one pod has left and another has got means each of them at its
// time.
func testReuse(t *testing.T, s *scene) {
	first := s.server(t, "first", "")
	s.client(t, "caller-of-first", first.Status.PodIP)
	s.remove(t, "first")
	s.remove(t, "caller-of-first")
	second := s.server(t, "second", first.Status.PodIP)
	require.Equal(t, first.Status.PodIP, second.Status.PodIP)
	s.client(t, "caller-of-second", second.Status.PodIP)
	s.remove(t, "second")
	s.remove(t, "caller-of-second")
	s.verify(t)
}

// server starts a pod that belongs to nothing; at an address, if one is given.
func (s *scene) server(t *testing.T, name, address string) *corev1.Pod {
	t.Helper()
	if address != "" {
		s.nextAddress(t, address)
	}
	s.Apply(s.pod(name, container(name, "serve -listen=:8080", 8080)))
	var pod *corev1.Pod
	testkit.EventuallyIn(t, becoming, name, func() (up bool) {
		var err error
		pod, err = s.Client.CoreV1().Pods("production").Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && ready(pod)
	})
	return pod
}

// client runs a pod that calls an address some times, to its end.
func (s *scene) client(t *testing.T, name, address string) {
	t.Helper()
	ways[address+":8080"] = way{kind: "pod"}
	s.Apply(s.pod(name, container(name, "call -rounds=5 "+address+":8080", 0)))
	testkit.EventuallyIn(t, becoming, name, func() bool {
		pod, err := s.Client.CoreV1().Pods("production").Get(t.Context(), name, metav1.GetOptions{})
		return err == nil && pod.Status.Phase == corev1.PodSucceeded
	})
}

func (s *scene) pod(name, container string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: production}\nspec:\n  restartPolicy: Never\n  containers:\n    - " +
		strings.ReplaceAll(container, "\n", "\n      ") + "\n  volumes: [" + witnessVolume(s.witnesses) + "]\n"
}

func (s *scene) remove(t *testing.T, pod string) {
	t.Helper()
	s.Kubectl("delete", "pod", pod, "-n", "production", "--grace-period=1")
}

// nextAddress makes the node give an address to the next pod that it starts: it
// tells the plugin that it has just given the one before.
func (s *scene) nextAddress(t *testing.T, address string) {
	t.Helper()
	before := netip.MustParseAddr(address).Prev()
	path := filepath.Join(s.Dir, "lib", "cni", "networks", "pods", "last_reserved_ip.0")
	require.NoError(t, os.WriteFile(path, []byte(before.String()), 0o644))
}

// A workload is replaced pod by pod while it is called all the time.
func testRollingUpdate(t *testing.T, s *scene) {
	before := len(s.calls(t))
	s.Kubectl("rollout", "restart", "deployment/payment", "statefulset/db", "-n", "production")
	s.Kubectl("rollout", "status", "deployment/payment", "-n", "production", "--timeout=90s")
	s.Kubectl("rollout", "status", "statefulset/db", "-n", "production", "--timeout=90s")
	testkit.EventuallyIn(t, becoming, "calls after the update", func() bool { return len(s.calls(t)) > before+50 })
	s.verify(t)
}

// A job of a CronJob is over in a second or two.
func testCronJob(t *testing.T, s *scene) {
	testkit.EventuallyIn(t, becoming, "a job", func() bool {
		for _, call := range s.calls(t) {
			if call.Container == "report" && strings.Contains(call.Sequence, ".2.") {
				return true
			}
		}
		return false
	})
	s.verify(t)
}

// A client outside of the cluster comes in through a node's port.
func testFromOutside(t *testing.T, s *scene) {
	const sequence = "from-outside"
	call := func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+cluster.Node+":30080/orders", nil)
		require.NoError(t, err)
		r.Header.Set(truth.SequenceHeader, sequence)
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}).Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	call()
	var got testkit.Calls
	testkit.EventuallyIn(t, testkit.Patience, "both ends", func() bool {
		got = s.gateway.Calls().BySequence()[sequence]
		return len(got) == 2
	})
	server, ok := s.servers(t)[sequence]
	require.True(t, ok)
	ends := got.Of(ptrace.SpanKindServer)
	require.Len(t, ends, 1)
	assert.Equal(t, "external", ends[0].Attributes["wirespan.peer.kind"])
	assert.Nil(t, ends[0].Attributes["source.k8s.pod.name"])
	found := findings{}
	callee := s.facts.pod(server.PodUID)
	found.local("server", ends[0], callee, server.Container)
	clients := got.Of(ptrace.SpanKindClient)
	require.Len(t, clients, 1)
	found.peer("client", clients[0], "destination.", callee)
	found.either("client", clients[0], "destination.k8s.service.name", "payment-nodeport")
	found.expect("client", "k8s.pod.name", nil, clients[0].Resource["k8s.pod.name"])
	found.report(t)
}
