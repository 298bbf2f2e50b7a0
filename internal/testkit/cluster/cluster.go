// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package cluster runs a real Kubernetes cluster of one node for tests: etcd and
// containerd from the distribution, Kubernetes' own components from their sources.
// The node has namespaces, folders and control groups of its own, and leaves
// nothing behind.
package cluster // import "github.com/wirespan/wirespan/internal/testkit/cluster"

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/wirespan/wirespan/internal/testkit"
)

// Addresses of the cluster. The node and the machine that runs the test are the
// two ends of one cable.
const (
	Outside  = "10.10.0.1" // of the machine, from the node
	Node     = "10.10.0.2"
	NodeName = "node-1"

	Outside6 = "fd00:10:10::1"
	Node6    = "fd00:10:10::2"

	// DNS is the address that pods ask for names.
	DNS = "10.96.0.10"

	PodNetwork  = "10.244.0.0/16" // of all pods
	PodNetwork6 = "fd00:10:244::/56"

	nodePods, nodePods6             = "10.244.0.0/24", "fd00:10:244::/64"
	serviceNetwork, serviceNetwork6 = "10.96.0.0/16", "fd00:10:96::/112"
	firstService                    = "10.96.0.1" // the API server's own service
	clusterDomain                   = "cluster.local"
)

// starting bounds how long one component may take until it works.
const starting = 90 * time.Second

// Cluster is a running cluster.
type Cluster struct {
	t    testing.TB
	node *node

	Dir        string // everything of the node's
	Kubeconfig string // of the cluster's administrator
	Config     *rest.Config
	Client     kubernetes.Interface

	credentials *credentials
	apiServer   *testkit.Process
}

// Start starts a cluster that lasts as long as the test.
func Start(t testing.TB) *Cluster {
	t.Helper()
	testkit.NeedRoot(t)
	for _, program := range []string{"etcd", "containerd", "ctr", "runc", "nft", "iptables", "nsenter", "unshare"} {
		testkit.NeedProgram(t, program)
	}
	binary := Kubernetes(t)
	c := &Cluster{t: t, node: startNode(t)}
	c.Dir = c.node.dir
	c.node.kubernetes = binary
	c.credentials = newCredentials(t, c.Dir)
	c.startContainerd()
	c.startEtcd()
	c.StartAPIServer()
	c.connect()
	c.startControllers()
	c.startKubelet()
	c.startProxy()
	c.awaitNode()
	return c
}

// Use makes what goes wrong from now on a failure of t, which may be a part of the test
// that the cluster lasts for.
func (c *Cluster) Use(t testing.TB) { c.t = t }

func (c *Cluster) connect() {
	c.t.Helper()
	c.Kubeconfig = c.credentials.kubeconfig("admin")
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	require.NoError(c.t, err)
	config.QPS, config.Burst = 200, 400
	c.Config = config
	c.Client, err = kubernetes.NewForConfig(config)
	require.NoError(c.t, err)
}

// Kubernetes is the path of the program that is every component of Kubernetes. It
// is built once and kept in build/, because that takes minutes.
func Kubernetes(t testing.TB) string {
	t.Helper()
	binary := testkit.Root("build", "k8s", "kubernetes")
	if _, err := os.Stat(binary); err != nil {
		cmd := exec.Command("make", "kubernetes")
		cmd.Dir = testkit.Root()
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	binary, err := filepath.Abs(binary)
	require.NoError(t, err)
	return binary
}
