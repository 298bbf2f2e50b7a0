// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import "slices"

// distroName is what resources of Wirespan's receiver have in telemetry.distro.name.
const distroName = "wirespan"

// field is an attribute with a prefix.
type field int

const (
	fieldNamespace field = iota
	fieldPod
	fieldPodUID
	fieldNode
	fieldDeployment
	fieldReplicaSet
	fieldStatefulSet
	fieldDaemonSet
	fieldCronJob
	fieldJob
	fieldService
	fieldServiceType
	fields // how many there are
)

var fieldKeys = [fields]string{
	"k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid", "k8s.node.name", "k8s.deployment.name", "k8s.replicaset.name",
	"k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name", "k8s.job.name", "k8s.service.name", "k8s.service.type",
}

// keys are the attributes of one side. Fields that are not wanted are empty.
type keys struct {
	fields                               [fields]string
	podLabels, serviceLabels, nodeLabels []string
}

func newKeys(prefix string, c *ExtractConfig) *keys {
	k := &keys{
		podLabels:     prefixed(prefix+"k8s.pod.label.", c.Labels.Pod),
		serviceLabels: prefixed(prefix+"k8s.service.label.", c.Labels.Service),
		nodeLabels:    prefixed(prefix+"k8s.node.label.", c.Labels.Node),
	}
	for f, key := range fieldKeys {
		if slices.Contains(c.Metadata, key) {
			k.fields[f] = prefix + key
		}
	}
	return k
}

func prefixed(prefix string, names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = prefix + n
	}
	return all
}
