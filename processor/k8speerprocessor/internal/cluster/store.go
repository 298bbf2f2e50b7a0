// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// store lets a reflector write objects of one kind to the model, where client-go's
// informers would keep them whole.
type store[T metav1.Object] struct {
	m        *Model
	strip    func(T)
	set      func(T)
	drop     func(name, *T) // with the last state, if that is known
	known    func(yield func(name) bool)
	nameOf   func(T) name
	replaced func()
}

var _ cache.TransformingStore = (*store[*corev1.Pod])(nil)

// Add implements [cache.ReflectorStore].
func (s *store[T]) Add(o any) error { return s.Update(o) }

// Update implements [cache.ReflectorStore].
func (s *store[T]) Update(o any) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if o, ok := o.(T); ok {
		s.set(o)
		s.m.settle()
	}
	return nil
}

// Delete implements [cache.ReflectorStore].
func (s *store[T]) Delete(o any) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if o, ok := o.(T); ok {
		s.drop(s.nameOf(o), &o)
		s.m.settle()
	}
	return nil
}

// Replace implements [cache.ReflectorStore].
func (s *store[T]) Replace(list []any, _ string) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.batch = true
	listed := make(map[name]struct{}, len(list))
	for _, o := range list {
		if o, ok := o.(T); ok {
			listed[s.nameOf(o)] = struct{}{}
			s.set(o)
		}
	}
	for n := range s.known {
		if _, ok := listed[n]; !ok {
			s.drop(n, nil)
		}
	}
	s.m.batch = false
	s.m.settle()
	s.replaced()
	return nil
}

// Resync implements [cache.ReflectorStore].
func (s *store[T]) Resync() error { return nil }

// Transformer implements [cache.TransformingStore]: of a list that is streamed, too,
// only what is needed is held until it is complete.
func (s *store[T]) Transformer() cache.TransformFunc {
	return func(o any) (any, error) {
		if o, ok := o.(T); ok {
			s.strip(o)
		}
		return o, nil
	}
}

func named[T metav1.Object](o T) name { return name{o.GetNamespace(), o.GetName()} }

func (m *Model) podStore(replaced func()) *store[*corev1.Pod] {
	return &store[*corev1.Pod]{
		m: m, strip: stripPod, set: m.setPod, nameOf: named[*corev1.Pod], replaced: replaced,
		drop: func(n name, o **corev1.Pod) {
			end := m.now()
			if o != nil {
				end = ended(*o, end)
			}
			m.dropPod(n, end)
		},
		known: func(yield func(name) bool) {
			for n, p := range m.pods {
				if p.peer != nil && !yield(n) {
					return
				}
			}
		},
	}
}

func (m *Model) serviceStore(replaced func()) *store[*corev1.Service] {
	return &store[*corev1.Service]{
		m: m, strip: stripService, set: m.setService, nameOf: named[*corev1.Service], replaced: replaced,
		drop: func(n name, _ **corev1.Service) { m.dropService(n) },
		known: func(yield func(name) bool) {
			for n, s := range m.services {
				if s.info != nil && !yield(n) {
					return
				}
			}
		},
	}
}

func (m *Model) sliceStore(replaced func()) *store[*discoveryv1.EndpointSlice] {
	return &store[*discoveryv1.EndpointSlice]{
		m: m, strip: stripSlice, set: m.setSlice, nameOf: named[*discoveryv1.EndpointSlice], replaced: replaced,
		drop: func(n name, _ **discoveryv1.EndpointSlice) { m.dropSlice(n) },
		known: func(yield func(name) bool) {
			for n := range m.slices {
				if !yield(n) {
					return
				}
			}
		},
	}
}

func (m *Model) nodeStore(replaced func()) *store[*corev1.Node] {
	return &store[*corev1.Node]{
		m: m, strip: stripNode, set: m.setNode, nameOf: named[*corev1.Node], replaced: replaced,
		drop: func(n name, _ **corev1.Node) { m.dropNode(n.name) },
		known: func(yield func(name) bool) {
			for n, node := range m.nodes {
				if node.known && !yield(name{name: n}) {
					return
				}
			}
		},
	}
}

// ownerStore is for ReplicaSets and Jobs, of which the metadata says enough.
func (m *Model) ownerStore(kind string, replaced func()) *store[*metav1.PartialObjectMetadata] {
	of := m.owners[kind]
	return &store[*metav1.PartialObjectMetadata]{
		m: m, strip: stripMetadata, set: of.set, replaced: replaced,
		nameOf: func(o *metav1.PartialObjectMetadata) name { return name{name: string(o.UID)} },
		drop:   func(n name, _ **metav1.PartialObjectMetadata) { delete(of, types.UID(n.name)) },
		known: func(yield func(name) bool) {
			for uid := range of {
				if !yield(name{name: string(uid)}) {
					return
				}
			}
		},
	}
}
