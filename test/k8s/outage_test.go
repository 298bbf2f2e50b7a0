// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/test/k8s/witness"
)

// The API server goes away, with all watches, and comes back. What was known is
// known further, nothing is lost, and what has changed is known afterwards.
func testAPIServerRestarted(t *testing.T, s *scene) {
	agent := s.agent(t)
	s.StopAPIServer()
	s.moreCalls(t, 30)
	s.verify(t)
	s.StartAPIServer()
	s.renew(t)
	s.verify(t)
	s.sameAgent(t, agent)
}

// The agent's permission is taken away, and the API server restarted so that it
// finds out: names degrade to what was known, calls are exported further. With the
// permission the names come back.
func testPermissionRemoved(t *testing.T, s *scene) {
	agent := s.agent(t)
	s.stopJobs(t) // their pods are new ones
	s.Kubectl("delete", "clusterrolebinding", "wirespan-wirespan-agent")
	s.StopAPIServer()
	s.StartAPIServer()
	s.moreCalls(t, 30)
	s.verify(t)

	// Pods that nobody may know of: their calls are exported, with addresses for names.
	unknown := s.server(t, "unknown", "")
	s.Apply(s.pod("stranger", container("stranger", "call -interval=500ms "+unknown.Status.PodIP+":8080", 0)))
	testkit.EventuallyIn(t, becoming, "calls of the stranger", func() bool { return len(s.callsOf(t, "stranger")) >= 5 })
	calls := s.callsOf(t, "stranger")
	exported := s.await(t, calls)
	for _, call := range calls {
		for _, end := range exported[call.Sequence] {
			require.Nil(t, end.Attributes["service.peer.name"])
			require.Nil(t, end.Resource["k8s.pod.name"])
			require.NotEmpty(t, end.Resource["container.id"])
		}
	}

	s.Apply(chart(t, agentValues))
	testkit.EventuallyIn(t, becoming, "the names to come back", func() bool {
		time.Sleep(time.Second)
		exported := s.gateway.Calls().BySequence()
		for _, call := range s.callsOf(t, "stranger") {
			if named(exported[call.Sequence]) {
				return true
			}
		}
		return false
	})
	s.remove(t, "stranger")
	s.remove(t, "unknown")
	for _, call := range s.callsOf(t, "stranger") {
		s.verified[call.Sequence] = true
	}
	s.renew(t)
	s.verify(t)
	s.sameAgent(t, agent)
}

// stopJobs waits until no job runs, and lets none begin.
func (s *scene) stopJobs(t *testing.T) {
	t.Helper()
	s.Kubectl("patch", "cronjob", "report", "-n", "production", "-p", `{"spec":{"suspend":true}}`)
	testkit.EventuallyIn(t, becoming, "jobs to end", func() bool {
		jobs, err := s.Client.BatchV1().Jobs("production").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return false
		}
		for _, job := range jobs.Items {
			if job.Status.CompletionTime == nil {
				return false
			}
		}
		return true
	})
}

// named reports whether both ends of a call between two pods have the names of both.
func named(ends testkit.Calls) bool {
	for _, end := range ends {
		peer := end.Attributes["destination.k8s.pod.name"]
		if end.Kind == ptrace.SpanKindServer {
			peer = end.Attributes["source.k8s.pod.name"]
		}
		if end.Resource["k8s.pod.name"] == nil || peer == nil {
			return false
		}
	}
	return len(ends) == 2
}

// callsOf are the calls of one container.
func (s *scene) callsOf(t *testing.T, container string) (calls []witness.Call) {
	t.Helper()
	for _, call := range s.calls(t) {
		if call.Container == container {
			calls = append(calls, call)
		}
	}
	return calls
}

// moreCalls waits until so many more calls were made.
func (s *scene) moreCalls(t *testing.T, n int) {
	t.Helper()
	before := len(s.calls(t))
	testkit.EventuallyIn(t, becoming, "more calls", func() bool { return len(s.calls(t)) > before+n })
}

// renew replaces a called pod by one that only a working watch can tell of, and
// waits for calls to that.
func (s *scene) renew(t *testing.T) {
	t.Helper()
	s.Kubectl("rollout", "restart", "deployment/payment", "-n", "production")
	s.Kubectl("rollout", "status", "deployment/payment", "-n", "production", "--timeout=90s")
	s.moreCalls(t, 30)
}

// agent is the one pod of the DaemonSet.
func (s *scene) agent(t *testing.T) *corev1.Pod {
	t.Helper()
	pods, err := s.Client.CoreV1().Pods("wirespan").List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=agent"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	return &pods.Items[0]
}

// sameAgent makes sure that the agent has run through.
func (s *scene) sameAgent(t *testing.T, before *corev1.Pod) {
	t.Helper()
	now := s.agent(t)
	require.Equal(t, before.UID, now.UID)
	for _, status := range now.Status.ContainerStatuses {
		require.Zero(t, status.RestartCount)
	}
}
