// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package k8speerprocessor

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hostName reports whether a text can be a host's name, and is no address.
func hostName(text string) bool {
	if text == "" || len(text) > 253 || strings.EqualFold(text, "localhost") {
		return false
	}
	letters := false
	for i := range len(text) {
		c := text[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letters = true
		case c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	if !letters {
		return false
	}
	_, err := netip.ParseAddr(text)
	return err != nil
}

// canonical gives the one spelling of a host's name.
func canonical(host string) string {
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// serviceNamed splits the name of a service as the cluster's DNS has it: service,
// service.namespace, and either of them with .svc and the domain; of a pod of a
// headless service, pod.service.namespace.svc. certain says that nothing else can
// be meant.
func serviceNamed(host, domain, ownNamespace string) (namespace, service string, certain bool) {
	rest, ok := strings.CutSuffix(host, ".svc."+domain)
	if !ok {
		rest, ok = strings.CutSuffix(host, ".svc")
	}
	labels := strings.Split(rest, ".")
	switch {
	case ok && len(labels) >= 2:
		return labels[len(labels)-1], labels[len(labels)-2], true
	case ok:
		return "", "", true
	case len(labels) == 1:
		return ownNamespace, labels[0], false
	case len(labels) == 2:
		return labels[1], labels[0], false
	}
	return "", "", strings.HasSuffix(host, "."+domain)
}

// nameSet bounds how many different names records are given: names come from the
// network, and backends keep series for each.
type nameSet struct {
	max     int
	refused atomic.Int64

	mu          sync.RWMutex
	now, before map[string]struct{} // used in this hour and in the one before
	turned      time.Time
}

const nameLife = time.Hour

func newNameSet(most int) *nameSet {
	return &nameSet{max: most, now: map[string]struct{}{}, before: map[string]struct{}{}, turned: time.Now()}
}

// admit reports whether a name may be given.
func (s *nameSet) admit(name string) bool {
	s.mu.RLock()
	_, ok := s.now[name]
	s.mu.RUnlock()
	return ok || s.add(name)
}

func (s *nameSet) add(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.turned) > nameLife {
		s.now, s.before, s.turned = map[string]struct{}{}, s.now, time.Now()
	}
	_, old := s.before[name]
	if !old && len(s.now)+len(s.before) >= s.max {
		s.refused.Add(1)
		return false
	}
	delete(s.before, name)
	s.now[strings.Clone(name)] = struct{}{}
	return true
}

func (s *nameSet) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.now) + len(s.before)
}
