// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// Clients are the two ways to read objects: whole, and their metadata alone.
type Clients struct {
	Objects  kubernetes.Interface
	Metadata metadata.Interface // nil: no owners
	Close    func()             // ends idle connections; may be nil
}

// Watcher keeps a model up to date with an API server, for as long as it runs.
// What fails is tried again, at growing intervals of up to a minute.
type Watcher struct {
	model   *Model
	health  *Health
	pending atomic.Int32 // kinds of objects whose first list has not come
}

// NewWatcher makes a watcher that says in health how it gets on.
func NewWatcher(m *Model, health *Health) *Watcher {
	w := &Watcher{model: m, health: health}
	w.pending.Store(1)
	return w
}

// Synced reports whether all lists have come once.
func (w *Watcher) Synced() bool { return w.pending.Load() <= 0 }

// maxOwnersWait is how long pods wait for the metadata of their owners.
const maxOwnersWait = 30 * time.Second

// Run watches until the context ends.
func (w *Watcher) Run(ctx context.Context, c Clients) {
	ctx = klog.NewContext(ctx, klog.Logger{}) // what matters is in health
	var running sync.WaitGroup
	start := func(r *cache.Reflector) { running.Go(func() { r.RunWithContext(ctx) }) }

	owners := w.ownerReflectors(c)
	for _, r := range owners {
		start(r)
	}
	for deadline := time.Now().Add(maxOwnersWait); w.pending.Load() > 1 && time.Now().Before(deadline) && ctx.Err() == nil; {
		sleep(ctx, 20*time.Millisecond)
	}
	all := w.objectReflectors(c.Objects)
	w.pending.Add(-1)
	for _, r := range all {
		start(r)
	}
	running.Wait()
	if c.Close != nil {
		c.Close()
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (w *Watcher) objectReflectors(c kubernetes.Interface) []*cache.Reflector {
	pods, services := c.CoreV1().Pods(""), c.CoreV1().Services("")
	nodes, slices := c.CoreV1().Nodes(), c.DiscoveryV1().EndpointSlices("")
	return []*cache.Reflector{
		reflect(w, "nodes", c, &corev1.Node{}, w.model.nodeStore, stripNode, nodes.List, nodes.Watch),
		reflect(w, "pods", c, &corev1.Pod{}, w.model.podStore, stripPod, pods.List, pods.Watch),
		reflect(w, "services", c, &corev1.Service{}, w.model.serviceStore, stripService, services.List, services.Watch),
		reflect(w, "endpointslices", c, &discoveryv1.EndpointSlice{}, w.model.sliceStore, stripSlice, slices.List, slices.Watch),
	}
}

func (w *Watcher) ownerReflectors(c Clients) []*cache.Reflector {
	if c.Metadata == nil {
		return nil
	}
	of := func(group, resource, kind string) *cache.Reflector {
		r := c.Metadata.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: resource})
		stores := func(replaced func()) *store[*metav1.PartialObjectMetadata] { return w.model.ownerStore(kind, replaced) }
		return reflect(w, resource, c.Metadata, &metav1.PartialObjectMetadata{}, stores, stripMetadata, r.List, r.Watch)
	}
	return []*cache.Reflector{of("apps", "replicasets", "ReplicaSet"), of("batch", "jobs", "Job")}
}

// reflect makes what lists and watches one kind of objects.
func reflect[T metav1.Object, L runtime.Object](
	w *Watcher, resource string, client any, example T, stores func(func()) *store[T], strip func(T),
	list func(context.Context, metav1.ListOptions) (L, error),
	watches func(context.Context, metav1.ListOptions) (watch.Interface, error),
) *cache.Reflector {
	w.pending.Add(1)
	w.health.expect(resource)
	first := sync.OnceFunc(func() { w.pending.Add(-1) })
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			l, err := list(ctx, o)
			if err != nil {
				w.health.failed(ctx, resource, err)
				return nil, err
			}
			return l, meta.EachListItem(l, func(o runtime.Object) error {
				if t, ok := o.(T); ok {
					strip(t)
				}
				return nil
			})
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			events, err := watches(ctx, o)
			switch {
			case err == nil:
				w.health.works(resource)
			case o.SendInitialEvents != nil && apierrors.IsInvalid(err): // an older server: there will be a list
			default:
				w.health.failed(ctx, resource, err)
			}
			return events, err
		},
	}
	return cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, client), example, stores(first), cache.ReflectorOptions{
		Name: "k8s_peer", TypeDescription: resource,
	})
}
