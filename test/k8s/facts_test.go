// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8s

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// facts is what the API server has said about pods, also those that are gone.
type facts struct {
	client kubernetes.Interface

	mu       sync.Mutex
	pods     map[string]*corev1.Pod        // by UID, as last seen with addresses
	ids      map[string]map[string]started // by UID and name of the container
	workload map[string]workload           // by UID
}

// workload is what a pod belongs to, in the words of the semantic conventions.
type workload struct {
	kind string // deployment, statefulset, daemonset, cronjob, pod
	name string
	job  string
}

// started is a container, and when it started.
type started struct {
	id string
	at time.Time // whole seconds
}

// watch remembers all pods from now on.
func watch(t *testing.T, client kubernetes.Interface) *facts {
	t.Helper()
	f := &facts{client: client, pods: map[string]*corev1.Pod{}, ids: map[string]map[string]started{}, workload: map[string]workload{}}
	factory := informers.NewSharedInformerFactory(client, 0)
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { f.see(o) },
		UpdateFunc: func(_, o any) { f.see(o) },
	})
	require.NoError(t, err)
	factory.Start(t.Context().Done())
	factory.WaitForCacheSync(t.Context().Done())
	return f
}

func (f *facts) see(object any) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	uid := string(pod.UID)
	owner, known := f.owner(pod)
	f.mu.Lock()
	defer f.mu.Unlock()
	if known {
		f.workload[uid] = owner
	}
	if pod.Status.PodIP != "" || f.pods[uid] == nil {
		f.pods[uid] = pod
	}
	if f.ids[uid] == nil {
		f.ids[uid] = map[string]started{}
	}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if _, id, found := strings.Cut(status.ContainerID, "://"); found {
			f.ids[uid][status.Name] = started{id, startOf(status.State)}
		}
	}
}

func startOf(state corev1.ContainerState) time.Time {
	switch {
	case state.Running != nil:
		return state.Running.StartedAt.Time
	case state.Terminated != nil:
		return state.Terminated.StartedAt.Time
	}
	return time.Time{}
}

// owner follows the references to owners, through ReplicaSets and Jobs.
func (f *facts) owner(pod *corev1.Pod) (w workload, known bool) {
	f.mu.Lock()
	w, known = f.workload[string(pod.UID)]
	f.mu.Unlock()
	if known {
		return w, true
	}
	controller := metav1.GetControllerOf(pod)
	if controller == nil {
		return workload{kind: "pod", name: pod.Name}, true
	}
	switch controller.Kind {
	case "ReplicaSet":
		set, err := f.client.AppsV1().ReplicaSets(pod.Namespace).Get(context.Background(), controller.Name, metav1.GetOptions{})
		if err != nil || metav1.GetControllerOf(set) == nil {
			return w, false
		}
		return workload{kind: "deployment", name: metav1.GetControllerOf(set).Name}, true
	case "Job":
		job, err := f.client.BatchV1().Jobs(pod.Namespace).Get(context.Background(), controller.Name, metav1.GetOptions{})
		if err != nil || metav1.GetControllerOf(job) == nil {
			return w, false
		}
		return workload{kind: "cronjob", name: metav1.GetControllerOf(job).Name, job: controller.Name}, true
	}
	return workload{kind: strings.ToLower(controller.Kind), name: controller.Name}, true
}

// fact is what is known of one pod.
type fact struct {
	*corev1.Pod
	workload
	containers map[string]started // by name
}

// pod is what is known of a pod; nil if it never was.
func (f *facts) pod(uid string) *fact {
	f.mu.Lock()
	defer f.mu.Unlock()
	pod := f.pods[uid]
	if pod == nil {
		return nil
	}
	return &fact{Pod: pod, workload: f.workload[uid], containers: maps.Clone(f.ids[uid])}
}
