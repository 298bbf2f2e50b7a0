// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package clustertest has an API server to test with, which lists and watches as a
// real one does, and the objects of a cluster of any size.
package clustertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
)

// Object is one of Kubernetes.
type Object interface {
	metav1.Object
	runtime.Object
}

// Server is an API server for objects in JSON.
type Server struct {
	http *httptest.Server

	mu      sync.Mutex
	version int
	objects map[string][]Object // by resource
	events  map[string][]event
	oldest  map[string]int // the version from which on there are events
	changed chan struct{}  // closed at a change
	refuse  int            // status of all answers, if not 0
	refused map[string]int // likewise, by resource
	streams bool           // lists are streamed to those who want that
	watches int            // that there are
}

type event struct {
	version int
	text    []byte
}

// NewServer starts a server that ends with the test.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{
		objects: map[string][]Object{}, events: map[string][]event{}, oldest: map[string]int{},
		changed: make(chan struct{}), refused: map[string]int{}, streams: true,
	}
	s.http = httptest.NewServer(s)
	tb.Cleanup(s.http.Close)
	tb.Cleanup(s.Drop)
	return s
}

// Config is for clients of the server.
func (s *Server) Config() *rest.Config { return &rest.Config{Host: s.http.URL} }

// Set adds an object, or changes the one of its name.
func (s *Server) Set(resource string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	o.SetResourceVersion(strconv.Itoa(s.version))
	kind := "MODIFIED"
	i := s.index(resource, o)
	if i < 0 {
		kind = "ADDED"
		s.objects[resource] = append(s.objects[resource], o)
	} else {
		s.objects[resource][i] = o
	}
	s.tell(resource, kind, o)
}

// Delete removes an object.
func (s *Server) Delete(resource string, o Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if i := s.index(resource, o); i >= 0 {
		s.objects[resource] = slices.Delete(s.objects[resource], i, i+1)
		o.SetResourceVersion(strconv.Itoa(s.version))
		s.tell(resource, "DELETED", o)
	}
}

// Refuse answers everything with a status from now on, and ends what runs. With 0
// the server works again.
func (s *Server) Refuse(status int) {
	s.mu.Lock()
	s.refuse = status
	s.mu.Unlock()
	s.Drop()
}

// RefuseResource is Refuse for one resource.
func (s *Server) RefuseResource(resource string, status int) {
	s.mu.Lock()
	s.refused[resource] = status
	s.mu.Unlock()
	s.Drop()
}

// Watches gives how many watches there are.
func (s *Server) Watches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watches
}

// StreamNoLists behaves as servers did before they could.
func (s *Server) StreamNoLists() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams = false
}

// Forget drops the events of the past: who was away has to list again.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for resource := range s.objects {
		s.events[resource] = nil
		s.oldest[resource] = s.version + 1
	}
}

// Drop ends all connections.
func (s *Server) Drop() { s.http.CloseClientConnections() }

func (s *Server) index(resource string, o Object) int {
	return slices.IndexFunc(s.objects[resource], func(p Object) bool {
		return p.GetNamespace() == o.GetNamespace() && p.GetName() == o.GetName()
	})
}

func (s *Server) tell(resource, kind string, o Object) {
	s.events[resource] = append(s.events[resource], event{s.version, encodeEvent(kind, o)})
	close(s.changed)
	s.changed = make(chan struct{})
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resource := path.Base(r.URL.Path)
	s.mu.Lock()
	status := s.refuse
	if status == 0 {
		status = s.refused[resource]
	}
	s.mu.Unlock()
	switch q := r.URL.Query(); {
	case status != 0:
		writeStatus(w, status)
	case q.Get("watch") == "":
		s.list(w, resource)
	case q.Get("sendInitialEvents") == "true" && !s.streams:
		writeStatus(w, http.StatusUnprocessableEntity)
	default:
		s.watch(w, r, resource)
	}
}

func (s *Server) list(w http.ResponseWriter, resource string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := s.objects[resource]
	if items == nil {
		items = []Object{}
	}
	kind, version := kindOf(resource)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": kind + "List", "apiVersion": version, "metadata": map[string]string{"resourceVersion": strconv.Itoa(s.version)}, "items": items,
	})
}

func (s *Server) watch(w http.ResponseWriter, r *http.Request, resource string) {
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	s.mu.Lock()
	s.watches++
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watches--
	}()
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		from = s.version
		for _, o := range s.objects[resource] {
			_, _ = w.Write(encodeEvent("ADDED", o))
		}
		kind, version := kindOf(resource)
		_, _ = fmt.Fprintf(w, `{"type":"BOOKMARK","object":{"kind":"%s","apiVersion":"%s","metadata":{"resourceVersion":"%d","annotations":{"k8s.io/initial-events-end":"true"}}}}`+"\n",
			kind, version, s.version)
	} else if from < s.oldest[resource]-1 {
		_, _ = w.Write([]byte(`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}` + "\n"))
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	for {
		s.mu.Lock()
		for _, e := range s.events[resource] {
			if e.version > from {
				_, _ = w.Write(e.text)
				from = e.version
			}
		}
		changed := s.changed
		s.mu.Unlock()
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}

func encodeEvent(kind string, o Object) []byte {
	text, _ := json.Marshal(map[string]any{"type": kind, "object": o})
	return append(text, '\n')
}

func kindOf(resource string) (kind, version string) {
	k := map[string][2]string{
		"pods": {"Pod", "v1"}, "services": {"Service", "v1"}, "nodes": {"Node", "v1"}, "endpointslices": {"EndpointSlice", "discovery.k8s.io/v1"},
		"replicasets": {"PartialObjectMetadata", "meta.k8s.io/v1"}, "jobs": {"PartialObjectMetadata", "meta.k8s.io/v1"},
	}[resource]
	return k[0], k[1]
}

func writeStatus(w http.ResponseWriter, code int) {
	reasons := map[int]string{
		http.StatusForbidden: "Forbidden", http.StatusUnauthorized: "Unauthorized", http.StatusUnprocessableEntity: "Invalid",
		http.StatusServiceUnavailable: "ServiceUnavailable",
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: int32(code),
		Reason: metav1.StatusReason(reasons[code]), Message: reasons[code],
	})
}
