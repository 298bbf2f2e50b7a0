// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"cmp"
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// keyedMessage takes a message with a key. The response may come first.
func (s *session) keyedMessage(m *dissect.Message) {
	w := s.byKey[m.Key]
	if w == nil {
		w = &waiting{since: m.Last.Time}
		s.putKeyed(m.Key, w)
	}
	switch m.Kind {
	case dissect.Request:
		if w.Request != nil {
			// The key is used again: the first request will not be answered.
			s.unanswered(w, s.whyNoResponse(w, ReasonSuperseded), 0)
			w = &waiting{since: m.Last.Time}
			s.byKey[m.Key] = w
		}
		if begun := s.begunBy(m); begun != nil {
			begun.since, begun.Interim, begun.Response = w.since, w.Interim, w.Response
			w = begun
			s.byKey[m.Key] = w
		}
		w.Request = m
		s.open(w)
	case dissect.Response:
		if w.Response != nil {
			s.dropKeyed(m.Key, w, s.whyNoRequest(), 0)
			w = &waiting{since: m.Last.Time}
			s.putKeyed(m.Key, w)
		}
		w.Response = m
	default:
		if len(w.Interim) == maxInterim {
			s.pairer.stats.OverLimit.Add(1)
			s.orphan(m, ReasonOutstandingLimit)
			return
		}
		w.Interim = append(w.Interim, m)
	}
	if w.Request != nil && w.Response != nil {
		delete(s.byKey, m.Key)
		s.end(w)
	}
}

// putKeyed makes room for one more key.
func (s *session) putKeyed(key uint64, w *waiting) {
	if s.byKey == nil {
		s.byKey = map[uint64]*waiting{}
	}
	if len(s.byKey) >= s.outstanding {
		s.pairer.stats.OverLimit.Add(1)
		var oldest uint64
		var first *waiting
		for key, w := range s.byKey {
			if first == nil || w.since < first.since || w.since == first.since && key < oldest {
				oldest, first = key, w
			}
		}
		s.dropKeyed(oldest, first, ReasonOutstandingLimit, 0)
	}
	s.byKey[key] = w
	s.mostKeys = max(s.mostKeys, len(s.byKey))
}

// dropKeyed emits what waits under a key as it is, at time t.
func (s *session) dropKeyed(key uint64, w *waiting, why conn.Reason, t int64) {
	delete(s.byKey, key)
	if w.Request != nil {
		s.unanswered(w, why, t)
		return
	}
	for _, m := range w.Interim {
		s.orphan(m, why)
	}
	if w.Response != nil {
		s.orphan(w.Response, why)
	}
}

// keysByAge lists the keys that wait, oldest first.
func (s *session) keysByAge() []uint64 {
	keys := make([]uint64, 0, len(s.byKey))
	for key := range s.byKey {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(s.byKey[a].since, s.byKey[b].since), cmp.Compare(a, b))
	})
	return keys
}

func (s *session) expireKeyed(now int64) {
	if len(s.byKey) == 0 {
		return
	}
	for _, key := range s.keysByAge() {
		w := s.byKey[key]
		age := s.age
		if w.Request == nil && s.lossy[dissect.ToServer].any() {
			age = min(age, lostAge)
		}
		if now-w.since <= age {
			continue
		}
		s.pairer.stats.TimedOut.Add(1)
		why := s.whyNoRequest()
		if w.Request != nil {
			why = s.whyNoResponse(w, ReasonTimeout)
		}
		s.dropKeyed(key, w, why, w.since+age)
	}
}

func (s *session) flushKeyed(end, forResponses conn.Reason, t int64) {
	for _, key := range s.keysByAge() {
		w := s.byKey[key]
		why := forResponses
		if w.Request != nil {
			why = s.whyNoResponse(w, end)
		}
		s.dropKeyed(key, w, why, t)
	}
}
