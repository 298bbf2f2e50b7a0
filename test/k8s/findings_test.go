// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
)

// findings are what is wrong with calls: each kind of it once, with how often it
// was so.
type findings map[string]int

// expect reports whether a value is as it should be.
func (f findings) expect(where, what string, want, got any) bool {
	if want == got {
		return true
	}
	f[fmt.Sprintf("%s: %s: want %v, got %v", where, what, want, got)]++
	return false
}

// either checks an attribute of a call's span and of its log record. Where nothing
// is wanted, there has to be none.
func (f findings) either(where string, call testkit.Call, key, want string) {
	var value any
	if want != "" {
		value = want
	}
	f.expect(where, key, value, call.Attributes[key])
	f.expect(where, key+" of the log record", value, call.LogAttributes[key])
}

// unnamed is how long it may take after a container's start until the API server says
// which of the pod's containers has that id.
const unnamed = 6 * time.Second

// local checks who a call says that it is itself.
func (f findings) local(where string, call testkit.Call, self *fact, container string) {
	if self == nil { // a process outside of Kubernetes
		f.expect(where, "k8s.pod.name", nil, call.Resource["k8s.pod.name"])
		f.expect(where, "container.id", nil, call.Resource["container.id"])
		f.expect(where, "process.executable.name", "app", call.Resource["process.executable.name"])
		return
	}
	want := self.names()
	started := self.containers[container]
	want["container.id"] = started.id
	if call.Start.Sub(started.at) > unnamed || call.Resource["k8s.container.name"] != nil {
		want["k8s.container.name"] = container
	}
	want["service.name"] = self.workload.name
	want["service.namespace"] = self.Namespace
	want["process.executable.name"] = "app"
	for _, key := range sorted(want) {
		f.expect(where, key, any(want[key]), call.Resource[key])
	}
}

// peer checks who a call says that its other end is.
func (f findings) peer(where string, call testkit.Call, prefix string, other *fact) {
	if other == nil { // outside of the cluster: it has no pod
		f.either(where, call, prefix+"k8s.pod.name", "")
		return
	}
	names := other.names()
	for _, key := range sorted(names) {
		f.either(where, call, prefix+key, names[key])
	}
	f.either(where, call, "service.peer.name", other.workload.name)
	f.either(where, call, "service.peer.namespace", other.Namespace)
}

// names are a pod's attributes by the semantic conventions, as the API server's
// objects have them.
func (f *fact) names() map[string]string {
	names := map[string]string{
		"k8s.namespace.name": f.Namespace, "k8s.pod.name": f.Pod.Name, "k8s.pod.uid": string(f.UID), "k8s.node.name": f.Spec.NodeName,
		"k8s." + f.workload.kind + ".name": f.workload.name,
	}
	if f.job != "" {
		names["k8s.job.name"] = f.job
	}
	return names
}

func sorted(m map[string]string) (keys []string) {
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// report fails the test with all that was found.
func (f findings) report(t *testing.T) {
	t.Helper()
	var lines []string
	for line, n := range f {
		lines = append(lines, fmt.Sprintf("%s (%d times)", line, n))
	}
	slices.Sort(lines)
	for _, line := range lines {
		assert.Fail(t, line)
	}
}
