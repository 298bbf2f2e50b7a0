// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"crypto/tls"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

func (c *Cluster) startEtcd() {
	c.t.Helper()
	etcd := c.node.start(testkit.NeedProgram(c.t, "etcd"),
		"--data-dir="+c.Dir+"/etcd/data", "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380")
	c.await("etcd", etcd, func() bool { return strings.Contains(etcd.Output(), "ready to serve client requests") })
}

// StartAPIServer starts the API server, for the first time or after
// StopAPIServer.
func (c *Cluster) StartAPIServer() {
	c.t.Helper()
	keys := c.credentials.certificates
	c.apiServer = c.node.component("kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+Node, "--secure-port=6443", "--tls-cert-file="+keys.Certificate, "--tls-private-key-file="+keys.Key,
		"--token-auth-file="+c.credentials.tokens, "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--service-account-issuer=https://kubernetes.default.svc."+clusterDomain,
		"--service-account-key-file="+keys.Certificate, "--service-account-signing-key-file="+keys.Key,
		"--service-cluster-ip-range="+serviceNetwork+","+serviceNetwork6,
		"--kubelet-preferred-address-types=InternalIP",
		"--allow-privileged=false", // nobody here needs a privileged container
	)
	c.await("the API server", c.apiServer, apiServerReady)
}

// StopAPIServer ends the API server and all watches.
func (c *Cluster) StopAPIServer() {
	c.t.Helper()
	c.apiServer.Signal(syscall.SIGKILL)
	c.apiServer.Wait(testkit.Patience)
}

func apiServerReady() bool {
	client := http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
	r, err := http.NewRequest(http.MethodGet, "https://"+Node+":6443/readyz", nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer token-admin")
	response, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (c *Cluster) startControllers() {
	c.t.Helper()
	keys := c.credentials.certificates
	manager := c.credentials.kubeconfig("kube-controller-manager")
	c.node.component("kube-controller-manager",
		"--kubeconfig="+manager, "--authentication-kubeconfig="+manager, "--authorization-kubeconfig="+manager,
		"--root-ca-file="+keys.Authority, "--service-account-private-key-file="+keys.Key, "--use-service-account-credentials",
		"--allocate-node-cidrs", "--cluster-cidr="+PodNetwork+","+PodNetwork6, "--service-cluster-ip-range="+serviceNetwork+","+serviceNetwork6,
		"--leader-elect=false", "--bind-address=127.0.0.1", "--cert-dir="+c.Dir+"/kube-controller-manager")
	scheduler := c.credentials.kubeconfig("kube-scheduler")
	c.node.component("kube-scheduler",
		"--kubeconfig="+scheduler, "--authentication-kubeconfig="+scheduler, "--authorization-kubeconfig="+scheduler,
		"--leader-elect=false", "--bind-address=127.0.0.1", "--cert-dir="+c.Dir+"/kube-scheduler")
}

// await waits until a component works.
func (c *Cluster) await(what string, process *testkit.Process, works func() bool) {
	c.t.Helper()
	testkit.EventuallyIn(c.t, starting, what, func() bool {
		require.False(c.t, process.Exited(), "%s ended: %s", what, tail(process.Output()))
		return works()
	})
}

// tail is the end of a log.
func tail(text string) string {
	const enough = 6 << 10
	if len(text) > enough {
		return "… " + text[len(text)-enough:]
	}
	return text
}
