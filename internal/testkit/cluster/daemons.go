// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/internal/testkit"
)

// containerd's socket, as the node has it.
const socket = "/run/containerd/containerd.sock"

// plugins is where Debian's package containernetworking-plugins puts them.
const plugins = "/usr/lib/cni"

func (c *Cluster) startContainerd() {
	c.t.Helper()
	networks := filepath.Join(c.Dir, "cni")
	require.NoError(c.t, os.Mkdir(networks, 0o755))
	c.write("cni/10-pods.conflist", fmt.Sprintf(podNetworks, nodePods, nodePods6))
	config := c.write("containerd.toml", fmt.Sprintf(containerdConf, socket, PauseImage, plugins, networks))
	daemon := c.node.start(testkit.NeedProgram(c.t, "containerd"), "--config", config)
	c.await("containerd", daemon, func() bool { return strings.Contains(daemon.Output(), "containerd successfully booted") })
}

// The machine may lack the capability to lower a process's OOM score.
const containerdConf = `
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %q
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %q
    conf_dir = %q
`

// Each pod has a cable to the node, which routes: so packets between pods pass
// through the translation of services' addresses in both directions.
const podNetworks = `{
  "cniVersion": "0.4.0", "name": "pods",
  "plugins": [
    {"type": "ptp", "ipMasq": true, "ipam": {
      "type": "host-local", "ranges": [[{"subnet": %q}], [{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}`

func (c *Cluster) startKubelet() {
	c.t.Helper()
	config := c.write("kubelet.yaml", fmt.Sprintf(kubeletConf, socket, DNS, clusterDomain, groups))
	c.node.component("kubelet", "--config="+config, "--kubeconfig="+c.credentials.kubeconfig("kubelet"),
		"--hostname-override="+NodeName, "--node-ip="+Node+","+Node6)
}

const kubeletConf = `
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://%s
clusterDNS: [%q]
clusterDomain: %s
resolvConf: ""
cgroupRoot: %s
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 1Mi, nodefs.available: 0%%, nodefs.inodesFree: 0%%, imagefs.available: 0%%}
eventRecordQPS: 0
registryPullQPS: 0
`

func (c *Cluster) startProxy() {
	c.t.Helper()
	c.node.component("kube-proxy", "--kubeconfig="+c.credentials.kubeconfig("kube-proxy"), "--hostname-override="+NodeName,
		"--proxy-mode=nftables", "--cluster-cidr="+PodNetwork+","+PodNetwork6,
		"--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0", "--conntrack-tcp-timeout-close-wait=0",
		"--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249")
}

func (c *Cluster) awaitNode() {
	c.t.Helper()
	testkit.EventuallyIn(c.t, starting, "the node to be ready", func() bool {
		node, err := c.Client.CoreV1().Nodes().Get(context.Background(), NodeName, metav1.GetOptions{})
		if err != nil {
			return false
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == corev1.ConditionTrue
			}
		}
		return false
	})
}

func (c *Cluster) write(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.Dir, name)
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}
