// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package load_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/load"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// server remembers the ids that it was asked with, and breaks off at one of them.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	ids  map[string]int
	stop string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{ids: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(truth.SequenceHeader)
		if id == s.stop {
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.URL.Query().Get("id") != id {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.ids[id]++
		s.mu.Unlock()
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) plan() load.Plan {
	return load.Plan{
		Addr: strings.TrimPrefix(s.URL, "http://"), Path: "/orders", Name: "x", Connections: 3, Requests: 200, Duration: time.Minute,
	}
}

func TestEveryRequestIsAnswered(t *testing.T) {
	for name, change := range map[string]func(*load.Plan){
		"closed loop":            func(*load.Plan) {},
		"closed loop, with body": func(p *load.Plan) { p.Body = 3000 },
		"open loop":              func(p *load.Plan) { p.Rate = 2000 },
		"one connection":         func(p *load.Plan) { p.Connections, p.Rate = 1, 5000 },
		"nothing but the first":  func(p *load.Plan) { p.Requests = 3 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			plan := s.plan()
			change(&plan)
			calls, err := load.Run(plan)
			require.NoError(t, err)
			require.Len(t, calls, plan.Requests)
			for i, c := range calls {
				assert.Equal(t, uint64(i+1), c.Sequence)
				assert.Equal(t, uint64(http.StatusOK), c.Status)
				assert.LessOrEqual(t, c.Due, c.Sent)
				assert.LessOrEqual(t, c.Sent, c.Done)
				assert.Equal(t, 1, s.ids[load.ID("x", c.Sequence)])
			}
			assert.Len(t, s.ids, plan.Requests)
		})
	}
}

func TestTimeBoundsALoad(t *testing.T) {
	s := newServer(t)
	plan := s.plan()
	plan.Requests, plan.Duration = load.MaxRequests, 50*time.Millisecond
	calls, err := load.Run(plan)
	require.NoError(t, err)
	assert.Len(t, s.ids, len(calls))
	plan.Rate = 500
	calls, err = load.Run(plan)
	require.NoError(t, err)
	assert.Len(t, calls, plan.Connections+25)
}

// A request that got no answer is in the log, and others go on.
func TestFailureIsTold(t *testing.T) {
	for name, rate := range map[string]float64{"closed loop": 0, "open loop": 1000} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.stop = load.ID("x", 20)
			plan := s.plan()
			plan.Rate = rate
			calls, err := load.Run(plan)
			require.Error(t, err)
			require.GreaterOrEqual(t, len(calls), 20)
			assert.Zero(t, calls[19].Status)
			assert.Zero(t, calls[19].Done)
			assert.Len(t, load.Answered(calls), len(s.ids))
			assert.Len(t, load.Latencies(calls), len(s.ids))
		})
	}
}

func TestLogIsReadAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	calls := []load.Call{{Sequence: 1, Due: 2, Sent: 3, Done: 4, Status: 200}, {Sequence: 2, Due: -1}}
	require.NoError(t, load.Write(path, calls))
	read, err := load.Read(path)
	require.NoError(t, err)
	assert.Equal(t, calls, read)
	_, err = load.Read(filepath.Join(t.TempDir(), "none"))
	require.Error(t, err)
}

func TestQuantile(t *testing.T) {
	calls := make([]load.Call, 1000)
	for i := range calls {
		calls[len(calls)-1-i] = load.Call{Due: 1, Done: 1 + int64(i)}
	}
	sorted := load.Latencies(calls)
	for q, want := range map[float64]time.Duration{0: 0, .5: 500, .99: 990, .999: 999, 1: 999} {
		assert.Equal(t, want, load.Quantile(sorted, q), fmt.Sprint(q))
	}
	assert.Zero(t, load.Quantile(nil, .5))
}

func TestPlanIsValidated(t *testing.T) {
	good := load.Plan{Addr: "x", Connections: 1, Requests: 1, Duration: time.Second}
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*load.Plan){
		"no connection":                   func(p *load.Plan) { p.Connections = 0 },
		"too many connections":            func(p *load.Plan) { p.Connections, p.Requests = load.MaxConnections+1, load.MaxRequests },
		"fewer requests than connections": func(p *load.Plan) { p.Connections = 2 },
		"too many requests":               func(p *load.Plan) { p.Requests = load.MaxRequests + 1 },
		"no time":                         func(p *load.Plan) { p.Duration = 0 },
		"too much time":                   func(p *load.Plan) { p.Duration = 2 * load.MaxDuration },
		"negative rate":                   func(p *load.Plan) { p.Rate = -1 },
		"negative body":                   func(p *load.Plan) { p.Body = -1 },
	} {
		plan := good
		change(&plan)
		assert.Error(t, plan.Validate(), name)
		_, err := load.Run(plan)
		assert.Error(t, err, name)
	}
}
