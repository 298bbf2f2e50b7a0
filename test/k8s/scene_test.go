// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/cluster"
)

// scene is a cluster with applications that call each other, the agent that
// watches, and a collector outside that takes what it exports.
type scene struct {
	*cluster.Cluster
	witnesses string // folder
	gateway   *testkit.Collector
	facts     *facts
	frontend  []string        // whom it calls
	verified  map[string]bool // calls, by sequence
}

// balancer is the address that a cloud would give a load balancer.
const balancer = "198.51.100.7"

// becoming bounds the wait for pods to start.
const becoming = 2 * time.Minute

func (s *scene) build(t *testing.T) {
	t.Helper()
	s.witnesses = filepath.Join(s.Dir, "witness")
	require.NoError(t, os.Mkdir(s.witnesses, 0o777))
	s.verified = map[string]bool{}
	s.facts = watch(t, s.Client)
	app := binary(t, "app")
	s.Import(
		cluster.Image{Name: cluster.PauseImage, Files: map[string]string{"app": app}, Entrypoint: []string{"/app", "pause"}},
		cluster.Image{Name: "wirespan.test/app:1", Files: map[string]string{"app": app}, Entrypoint: []string{"/app"}},
		cluster.Image{Name: "wirespan.test/dns:1", Files: map[string]string{"dns": binary(t, "dns")}, Entrypoint: []string{"/dns"}},
		cluster.Image{Name: "wirespan.test/wirespan:1", Files: map[string]string{"wirespan": testkit.Wirespan(t)}, Entrypoint: []string{"/wirespan"}},
	)
	s.gateway = testkit.StartCollector(t, testkit.CollectorConfig{
		OTLP: testkit.M{"grpc": testkit.M{"endpoint": net.JoinHostPort(cluster.Outside, "4317"), "max_recv_msg_size_mib": 16}},
	})
	testkit.Start(t, testkit.Program{
		Path: app, Args: []string{"serve", "-listen", net.JoinHostPort(cluster.Outside, "8000")},
		Env: []string{"WITNESS=" + s.witnesses, "CONTAINER=bank"},
	})

	s.Apply(s.manifest(t, "dns.yaml"))
	s.Apply(s.manifest(t, "servers.yaml"))
	s.balance(t)
	s.awaitPods(t, "kube-system")
	s.awaitPods(t, "production")
	s.Apply(chart(t, agentValues))
	s.awaitPods(t, "wirespan")

	s.frontend = []string{
		"payment-service:80", "payment-service.production.svc.cluster.local:80", "payment-six:80", "db-0.db:5432", "db-1.db.production:5432",
		cluster.Node + ":9100", cluster.Node + ":30080", balancer + ":80", "bank:8000",
	}
	s.Apply(s.manifest(t, "clients.yaml"))
	s.awaitPods(t, "production")
}

// binary builds one of this package's programs.
func binary(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./test/k8s/"+name)
	cmd.Dir = testkit.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// manifest fills in one of testdata's files.
func (s *scene) manifest(t *testing.T, name string) string {
	t.Helper()
	text, err := template.New(name).Funcs(template.FuncMap{
		"serve": func(name string, port int) string {
			return container(name, fmt.Sprintf("serve -listen=:%d", port), port)
		},
		"call":    func(name, flags string) string { return container(name, "call "+flags, 0) },
		"witness": func() string { return witnessVolume(s.witnesses) },
		"indent":  func(n int, text string) string { return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", n)) },
	}).ParseFiles(filepath.Join("testdata", name))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, text.Execute(&out, map[string]string{"DNS": cluster.DNS, "Outside": cluster.Outside, "Targets": strings.Join(append([]string{"-interval=1s"}, s.frontend...), " ")}))
	return out.String()
}

// witnessVolume is the folder that all applications write their logs into.
func witnessVolume(folder string) string {
	return fmt.Sprintf("{name: witness, hostPath: {path: %q}}", folder)
}

// container is a container that runs the application.
func container(name, command string, port int) string {
	ports := ""
	if port != 0 {
		ports = fmt.Sprintf("\nports: [{containerPort: %d}]\nreadinessProbe: {tcpSocket: {port: %d}, periodSeconds: 1}", port, port)
	}
	return fmt.Sprintf(`name: %s
image: wirespan.test/app:1
args: ["%s"]
env:
  - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
  - {name: CONTAINER, value: %s}
  - {name: WITNESS, value: /witness}
volumeMounts: [{name: witness, mountPath: /witness}]`, name, strings.Join(strings.Fields(command), `", "`), name) + ports
}

// balance does what a cloud's controller does.
func (s *scene) balance(t *testing.T) {
	t.Helper()
	s.Kubectl("patch", "service", "payment-balancer", "-n", "production", "--subresource=status", "--type=merge",
		"-p", `{"status":{"loadBalancer":{"ingress":[{"ip":"`+balancer+`"}]}}}`)
}

// awaitPods waits until all pods of a namespace that should be ready are.
func (s *scene) awaitPods(t *testing.T, namespace string) {
	t.Helper()
	testkit.EventuallyIn(t, becoming, "pods of "+namespace, func() bool {
		pods, err := s.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(pods.Items) == 0 {
			return false
		}
		for _, pod := range pods.Items {
			if pod.Status.Phase != corev1.PodSucceeded && !ready(&pod) {
				return false
			}
		}
		return s.complete(t, namespace)
	})
}

// complete reports whether workloads have all the pods that they want.
func (s *scene) complete(t *testing.T, namespace string) bool {
	t.Helper()
	apps := s.Client.AppsV1()
	deployments, err := apps.Deployments(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return false
	}
	for _, d := range deployments.Items {
		st := d.Status
		if st.ObservedGeneration < d.Generation || st.UpdatedReplicas < *d.Spec.Replicas || st.AvailableReplicas < *d.Spec.Replicas || st.Replicas != *d.Spec.Replicas {
			return false
		}
	}
	sets, err := apps.StatefulSets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return false
	}
	for _, set := range sets.Items {
		if set.Status.ReadyReplicas < *set.Spec.Replicas {
			return false
		}
	}
	daemons, err := apps.DaemonSets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return false
	}
	for _, set := range daemons.Items {
		st := set.Status
		if st.ObservedGeneration < set.Generation || st.DesiredNumberScheduled == 0 || st.NumberReady < st.DesiredNumberScheduled || st.UpdatedNumberScheduled < st.DesiredNumberScheduled {
			return false
		}
	}
	return true
}

func ready(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
