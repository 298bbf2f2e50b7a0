// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// container gives a workload's pod and its only container.
func container(t *testing.T, all []object, kind, name string) (pod, c object) {
	t.Helper()
	o := named(all, kind, name)
	require.NotNil(t, o, "%s %s", kind, name)
	pod, _ = o.at("spec", "template", "spec").(object)
	containers, _ := pod.at("containers").([]any)
	require.Len(t, containers, 1)
	c, _ = containers[0].(object)
	return pod, c
}

// asJSON makes a part of an object comparable.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// An agent may do exactly this.
func TestAgentHasLeastPrivileges(t *testing.T) {
	for name, test := range map[string]struct {
		sets []string
		want string
	}{
		"default": {
			want: `{"add":["BPF","PERFMON","NET_ADMIN","SYS_PTRACE"],"drop":["ALL"]}`,
		},
		"without tls": {
			sets: []string{`agent.tls=false`},
			want: `{"add":["BPF","PERFMON","NET_ADMIN"],"drop":["ALL"]}`,
		},
		"more": {
			sets: []string{`agent.extraCapabilities=["DAC_READ_SEARCH"]`},
			want: `{"add":["BPF","PERFMON","NET_ADMIN","SYS_PTRACE","DAC_READ_SEARCH"],"drop":["ALL"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod, c := container(t, mustTemplate(t, append(test.sets, `backend="console"`)...), "DaemonSet", "wirespan-agent")
			assert.JSONEq(t, test.want, asJSON(t, c.at("securityContext", "capabilities")))
			assert.Equal(t, false, c.at("securityContext", "privileged"))
			assert.Equal(t, false, c.at("securityContext", "allowPrivilegeEscalation"))
			assert.Equal(t, true, c.at("securityContext", "readOnlyRootFilesystem"))
			assert.Equal(t, "RuntimeDefault", c.text("securityContext", "seccompProfile", "type"))
			assert.Nil(t, pod.at("hostIPC"))
			assert.JSONEq(t, `[{"hostPath":{"path":"/sys/fs/cgroup","type":"Directory"},"name":"cgroup"},`+
				`{"configMap":{"name":"wirespan-agent"},"name":"config"}]`, asJSON(t, sortedVolumes(pod)))
			mounts, _ := c.at("volumeMounts").([]any)
			for _, m := range mounts {
				mount, _ := m.(object)
				assert.Equal(t, true, mount.at("readOnly"), mount.text("name"))
			}
		})
	}
}

func sortedVolumes(pod object) []any {
	volumes, _ := pod.at("volumes").([]any)
	slices.SortFunc(volumes, func(a, b any) int {
		x, _ := a.(object)
		y, _ := b.(object)
		return strings.Compare(x.text("name"), y.text("name"))
	})
	return volumes
}

func TestAppArmorIsLeftOnlyForTLS(t *testing.T) {
	for want, set := range map[string]string{"Unconfined": `agent.tls=true`, "RuntimeDefault": `agent.tls=false`} {
		_, c := container(t, mustTemplate(t, `backend="console"`, set), "DaemonSet", "wirespan-agent")
		assert.Equal(t, want, c.text("securityContext", "appArmorProfile", "type"))
	}
}

func TestGatewayHasNoPrivileges(t *testing.T) {
	pod, c := container(t, mustTemplate(t, `backend="console"`, `transport="gateway"`), "Deployment", "wirespan-gateway")
	assert.JSONEq(t, `{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"readOnlyRootFilesystem":true,`+
		`"runAsGroup":10001,"runAsNonRoot":true,"runAsUser":10001,"seccompProfile":{"type":"RuntimeDefault"}}`, asJSON(t, c.at("securityContext")))
	assert.Nil(t, pod.at("hostPID"))
	assert.Nil(t, pod.at("hostNetwork"))
	assert.Equal(t, false, pod.at("automountServiceAccountToken"))
}

// The API server is asked for nothing that no processor needs.
func TestPermissions(t *testing.T) {
	const (
		pods  = `[{"apiGroups":[""],"resources":["pods"],"verbs":["list","watch"]}]`
		peers = `[{"apiGroups":[""],"resources":["pods","services","nodes"],"verbs":["list","watch"]},` +
			`{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]}]`
		owners = `[{"apiGroups":[""],"resources":["pods","services","nodes"],"verbs":["list","watch"]},` +
			`{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["list","watch"]},` +
			`{"apiGroups":["apps"],"resources":["replicasets"],"verbs":["list","watch"]},` +
			`{"apiGroups":["batch"],"resources":["jobs"],"verbs":["list","watch"]}]`
	)
	for name, test := range map[string]struct {
		sets                  []string
		agent, gateway, cache string
	}{
		"both on agents":   {agent: peers},
		"owners":           {sets: []string{`kubernetes.peer={"owners":"watch"}`}, agent: owners},
		"this end only":    {sets: []string{`kubernetes.peers="none"`}, agent: pods},
		"nothing":          {sets: []string{`kubernetes.peers="none"`, `kubernetes.attributes=false`}},
		"peers on gateway": {sets: []string{`transport="gateway"`, `kubernetes.peers="gateway"`}, agent: pods, gateway: peers},
		"peers on cache":   {sets: []string{`kubernetes.peers="cache"`, `cache.secretName="c"`}, agent: pods, cache: peers},
	} {
		t.Run(name, func(t *testing.T) {
			all := mustTemplate(t, append(test.sets, `backend="console"`)...)
			for component, want := range map[string]string{"agent": test.agent, "gateway": test.gateway, "cache": test.cache} {
				role := named(all, "ClusterRole", "wirespan-wirespan-"+component)
				binding := named(all, "ClusterRoleBinding", "wirespan-wirespan-"+component)
				if want == "" {
					assert.Nil(t, role, component)
					assert.Nil(t, binding, component)
					continue
				}
				assert.JSONEq(t, want, asJSON(t, role.at("rules")), component)
				assert.Equal(t, "wirespan-"+component, binding.text("subjects", 0, "name"))
			}
			pod, _ := container(t, all, "DaemonSet", "wirespan-agent")
			assert.Equal(t, test.agent != "", pod.at("automountServiceAccountToken"))
		})
	}
}

// Secrets are in Secrets: configurations have the names of variables.
func TestConfigurationsHaveNoSecrets(t *testing.T) {
	secret := regexp.MustCompile(`(?i)(password|username|authorization|api-key): (.*)`)
	found := 0
	everyConfig(t, func(where string, _ config, _ object) {}) // they all render
	for _, r := range renderings(t) {
		out, err := template(t, "--values", r.values)
		require.NoError(t, err)
		for _, c := range configs(t, objects(t, out)) {
			for _, m := range secret.FindAllStringSubmatch(c.text, -1) {
				assert.Regexp(t, `^\$\{env:WIRESPAN_[A-Z0-9_]+\}$`, m[2], "%s: %s", r.values, m[1])
				found++
			}
		}
	}
	assert.GreaterOrEqual(t, found, 8, "presets with secrets")
}

func TestImagesHaveVersions(t *testing.T) {
	for _, r := range renderings(t) {
		out, err := template(t, "--values", r.values)
		require.NoError(t, err)
		images := regexp.MustCompile(`(?m)^ +image: (.*)$`).FindAllStringSubmatch(out, -1)
		assert.NotEmpty(t, images)
		for _, m := range images {
			assert.Equal(t, "ghcr.io/wirespan/wirespan:0.1.0", m[1], r.values)
		}
	}
	pod := mustTemplate(t, `backend="console"`, `image.digest="sha256:`+strings.Repeat("ab", 32)+`"`)
	_, c := container(t, pod, "DaemonSet", "wirespan-agent")
	assert.Equal(t, "ghcr.io/wirespan/wirespan@sha256:"+strings.Repeat("ab", 32), c.text("image"))
}

// The collector's own exports and the control plane are not captured, whatever else
// the user leaves out.
func TestOwnTrafficIsLeftOut(t *testing.T) {
	all := mustTemplate(t, `backend="jaeger"`, `transport="gateway"`, `agent.receiver={"capture":{"ebpf":{"exclude":{"ports":[22],"processes":["sshd"]}}}}`)
	text := configs(t, all)[0].text
	for _, want := range []string{"- wirespan\n", "- sshd\n", "- 22\n", "- 4317\n", "- 6443\n", "${env:KUBERNETES_SERVICE_HOST:-192.0.2.1}"} {
		assert.Contains(t, text, want)
	}
	text = configs(t, mustTemplate(t, `backend="console"`, `agent.controlPlane=true`))[0].text
	assert.NotContains(t, text, "6443")
	assert.NotContains(t, text, "KUBERNETES_SERVICE_HOST")
}
