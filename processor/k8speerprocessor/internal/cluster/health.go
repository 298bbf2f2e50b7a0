// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Health is how the contact to the API server is, for each kind of objects.
type Health struct {
	changed func(error)

	mu     sync.Mutex
	errs   map[string]error // nil: works
	told   []Failure        // what is known outside; nil: nothing yet
	counts map[Failure]int64
}

// Failure is a request that failed.
type Failure struct{ Resource, Reason string }

// errNotYet is the state of what has not been tried.
var errNotYet = errors.New("not connected yet")

// NewHealth makes a health that calls changed, one call at a time, when an error
// comes, changes or goes.
func NewHealth(changed func(error)) *Health {
	return &Health{changed: changed, errs: map[string]error{}, counts: map[Failure]int64{}}
}

// Up gives for each resource whether it is watched.
func (h *Health) Up() map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	up := map[string]bool{}
	for r, err := range h.errs {
		up[r] = err == nil
	}
	return up
}

// Failures gives how many requests have failed.
func (h *Health) Failures() map[Failure]int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.counts)
}

func (h *Health) expect(resource string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs[resource] = errNotYet
}

// Contact is how the contact is that a resource comes from, where that is not an
// API server.
type Contact struct {
	health   *Health
	resource string
}

// Contact gives the contact for a resource. It is not there yet.
func (h *Health) Contact(resource string) Contact {
	h.expect(resource)
	return Contact{h, resource}
}

// Works tells that the contact is there.
func (c Contact) Works() { c.health.works(c.resource) }

// Failed tells that it is not.
func (c Contact) Failed(ctx context.Context, err error) { c.health.failed(ctx, c.resource, err) }

func (h *Health) works(resource string) { h.set(resource, nil) }

func (h *Health) failed(ctx context.Context, resource string, err error) {
	if ctx.Err() != nil {
		return // we are the ones who stop
	}
	reason := reasonOf(err)
	h.mu.Lock()
	h.counts[Failure{resource, reason}]++
	h.mu.Unlock()
	if reason != "expired" { // a watch that was away for too long: a list follows
		h.set(resource, fmt.Errorf("watch %s: %w", resource, err))
	}
}

// set tells of a change: of other resources or reasons, not of other words.
func (h *Health) set(resource string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.errs[resource] = err
	failures := []Failure{}
	waiting := false
	for _, r := range slices.Sorted(maps.Keys(h.errs)) {
		if err := h.errs[r]; err == errNotYet {
			waiting = true
		} else if err != nil {
			failures = append(failures, Failure{r, reasonOf(err)})
		}
	}
	if waiting && len(failures) == 0 || h.told != nil && slices.Equal(failures, h.told) {
		return
	}
	h.told = failures
	h.changed(h.joined())
}

// joined gives the errors of all resources, in the order of their names, or nil.
func (h *Health) joined() error {
	var errs []error
	for _, r := range slices.Sorted(maps.Keys(h.errs)) {
		if err := h.errs[r]; err != nil && err != errNotYet {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// reasonOf names the cause of a failure in a few words that do not vary.
func reasonOf(err error) string {
	switch {
	case apierrors.IsForbidden(err):
		return "forbidden"
	case apierrors.IsUnauthorized(err):
		return "unauthorized"
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return "expired"
	case apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err):
		return "busy"
	case apierrors.IsNotFound(err):
		return "not_found"
	case errors.As(err, new(apierrors.APIStatus)):
		return "other"
	}
	switch status.Code(err) {
	case codes.PermissionDenied:
		return "forbidden"
	case codes.Unauthenticated:
		return "unauthorized"
	case codes.ResourceExhausted:
		return "busy"
	default:
		return "connection"
	}
}
