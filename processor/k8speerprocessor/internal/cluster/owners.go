// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

const labelTemplateHash = "pod-template-hash"

// owner is the controller of a ReplicaSet or a Job.
type owner struct{ kind, name string }

// owners are the controllers of objects of one kind, by the objects' UIDs.
type owners map[types.UID]owner

func (os owners) set(o *metav1.PartialObjectMetadata) {
	if ref := metav1.GetControllerOfNoCopy(o); ref != nil {
		os[o.UID] = owner{ref.Kind, ref.Name}
	}
}

// workloadOf gives what made a pod. What made its controller is known from that
// one's metadata if it is watched, else by how the controllers of Deployments and
// CronJobs name what they make.
func (m *Model) workloadOf(o *corev1.Pod) (w index.Workload) {
	ref := metav1.GetControllerOfNoCopy(o)
	if ref == nil {
		return w
	}
	above, watched := m.owners[ref.Kind][ref.UID]
	switch ref.Kind {
	case "ReplicaSet":
		w.ReplicaSet = ref.Name
		if watched && above.kind == "Deployment" {
			w.Deployment = above.name
		} else if !watched {
			w.Deployment = deploymentOf(ref.Name, o.Labels[labelTemplateHash])
		}
	case "StatefulSet":
		w.StatefulSet = ref.Name
	case "DaemonSet":
		w.DaemonSet = ref.Name
	case "Job":
		w.Job = ref.Name
		if watched && above.kind == "CronJob" {
			w.CronJob = above.name
		} else if !watched {
			w.CronJob = cronJobOf(ref.Name, o.CreationTimestamp.Time)
		}
	}
	return w
}

// deploymentOf undoes how a Deployment names its ReplicaSets: its name, a hyphen,
// and the hash that the pods have as a label.
func deploymentOf(replicaSet, hash string) string {
	if hash == "" {
		return ""
	}
	d, ok := strings.CutSuffix(replicaSet, "-"+hash)
	if !ok {
		return ""
	}
	return d
}

// maxCronDelay is how long after its time the job of a CronJob may make a pod for
// the job's name to be taken for the time's.
const maxCronDelay = 7 * 24 * time.Hour

// cronJobOf undoes how a CronJob names its jobs: its name, a hyphen, and the time
// that they are due at in minutes since 1970. A job of another origin would have
// to be named after the time of its own pods.
func cronJobOf(job string, created time.Time) string {
	i := strings.LastIndexByte(job, '-')
	if i <= 0 {
		return ""
	}
	minutes, err := strconv.ParseInt(job[i+1:], 10, 64)
	if err != nil || minutes < 0 || minutes > 1<<32 {
		return ""
	}
	if delay := created.Sub(time.Unix(60*minutes, 0)); delay < -time.Minute || delay > maxCronDelay {
		return ""
	}
	return job[:i]
}
