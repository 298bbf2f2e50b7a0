// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package k8s proves on a real cluster what Wirespan says about calls in one: the
// agent runs in it as its chart deploys it, and the programs in it say themselves
// who called whom. See README.md.
package k8s

import (
	"flag"
	"os"
	"os/signal"
	"testing"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
)

var keep = flag.Bool("keep", false, "keep the cluster after the tests until an interrupt")

func TestMain(m *testing.M) { testkit.Main(m) }

func TestKubernetes(t *testing.T) {
	s := &scene{Cluster: cluster.Start(t)}
	t.Cleanup(func() {
		if t.Failed() {
			s.Dump(t, "wirespan", "production", "kube-system")
		}
		s.wait(t)
	})
	s.build(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *scene)
	}{
		{"Names", testNames},
		{"Reuse", testReuse},
		{"FromOutside", testFromOutside},
		{"RollingUpdate", testRollingUpdate},
		{"CronJob", testCronJob},
		{"APIServerRestarted", testAPIServerRestarted},
		{"PermissionRemoved", testPermissionRemoved},
		{"PeersFromCache", testPeersFromCache},
		{"PeersFromGateway", testPeersFromGateway},
		{"Manifests", testManifests},
		{"Documented", testDocumented},
	} {
		if !t.Run(test.name, func(t *testing.T) { s.Use(t); test.run(t, s) }) {
			break
		}
	}
	s.Use(t)
}

// wait keeps the cluster if that is wanted.
func (s *scene) wait(t *testing.T) {
	t.Helper()
	if !*keep {
		return
	}
	t.Logf("the cluster is kept until an interrupt: %s kubectl --kubeconfig=%s", cluster.Kubernetes(t), s.Kubeconfig)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
}
