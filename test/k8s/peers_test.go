// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
)

// Agents that ask two replicas of a cache over mutual TLS, and may not watch what a peer's
// address means, have the same names as those that do. Without the cache they go on with
// what it has told them.
func testPeersFromCache(t *testing.T, s *scene) {
	s.secret(t, "cache-tls", "wirespan-cache.wirespan.svc")
	s.redeploy(t, "--set=kubernetes.peers=cache,cache.secretName=cache-tls")
	s.mayWatch(t, "wirespan-agent", "pods")
	s.mayWatch(t, "wirespan-cache", "endpointslices", "nodes", "pods", "services")
	s.renew(t)
	s.moreCalls(t, 100) // to each address that there is
	s.verify(t)

	agent := s.agent(t)
	s.Kubectl("scale", "deployment/wirespan-cache", "-n", "wirespan", "--replicas=0")
	s.Kubectl("wait", "pods", "-n", "wirespan", "-l", "app.kubernetes.io/component=cache", "--for=delete", "--timeout=60s")
	s.stopJobs(t) // their pods are new ones
	s.moreCalls(t, 30)
	s.verify(t)
	s.Kubectl("scale", "deployment/wirespan-cache", "-n", "wirespan", "--replicas=1")
	s.awaitPods(t, "wirespan")
	s.renew(t)
	s.awaitNames(t) // the agents try again after up to 30 seconds
	s.renew(t)
	s.verify(t)
	s.sameAgent(t, agent)
	s.Kubectl("delete", "deployment/wirespan-cache", "-n", "wirespan")
}

// Agents that send to two gateways over TLS, and leave the peers to them.
func testPeersFromGateway(t *testing.T, s *scene) {
	s.secret(t, "gateway-tls", "wirespan-gateway.wirespan.svc")
	s.redeploy(t, "--set=transport=gateway,kubernetes.peers=gateway,gateway.tls.enabled=true,gateway.tls.secretName=gateway-tls")
	s.mayWatch(t, "wirespan-agent", "pods")
	s.mayWatch(t, "wirespan-gateway", "endpointslices", "nodes", "pods", "services")
	s.renew(t)
	s.verify(t)
}

// redeploy installs the chart with other values. Calls of the time between two agents are
// nobody's.
func (s *scene) redeploy(t *testing.T, set string) {
	t.Helper()
	s.Apply(chart(t, agentValues, set))
	s.awaitPods(t, "wirespan")
	s.skip(t)
}

// skip leaves out the calls so far from what is verified.
func (s *scene) skip(t *testing.T) {
	t.Helper()
	for _, call := range s.calls(t) {
		s.verified[call.Sequence] = true
	}
}

// awaitNames waits until the last calls of a service that has new pods have names at both
// ends, and skips those before.
func (s *scene) awaitNames(t *testing.T) {
	t.Helper()
	testkit.EventuallyIn(t, becoming, "the names of new pods", func() bool {
		time.Sleep(time.Second)
		exported := s.gateway.Calls().BySequence()
		last := testkit.Calls(nil)
		for _, call := range s.callsOf(t, "sidecar") {
			if ends := exported[call.Sequence]; len(ends) == 2 {
				last = ends
			}
		}
		return named(last)
	})
	s.skip(t)
}

// secret makes a Secret with a certificate for a server, and for those who call it.
func (s *scene) secret(t *testing.T, name, host string) {
	t.Helper()
	c := testkit.NewCertificates(t, host)
	s.Kubectl("create", "secret", "generic", name, "-n", "wirespan", "--type=kubernetes.io/tls",
		"--from-file=tls.crt="+c.Certificate, "--from-file=tls.key="+c.Key, "--from-file=ca.crt="+c.Authority)
}

// mayWatch checks of which kinds of objects a component may learn, of all that peers
// need.
func (s *scene) mayWatch(t *testing.T, account string, kinds ...string) {
	t.Helper()
	var may []string
	for _, kind := range []string{"endpointslices", "nodes", "pods", "services"} {
		// Ends with status 1 if the answer is no.
		if _, err := s.TryKubectl("", "auth", "can-i", "watch", kind, "--as=system:serviceaccount:wirespan:"+account, "--all-namespaces"); err == nil {
			may = append(may, kind)
		}
	}
	assert.Equal(t, kinds, may, "%s", account)
}
