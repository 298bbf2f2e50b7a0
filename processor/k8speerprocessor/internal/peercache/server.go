// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package peercache

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// syncInterval is how often a cache that does not know all of the cluster looks
// whether it does.
const syncInterval = 100 * time.Millisecond

// Server tells agents of the keys of an index that they have asked for.
type Server struct {
	index    *index.Index
	networks *index.Networks
	synced   func() bool
	labels   Selection
	perAgent int // keys of one agent
	most     int // keys of all agents
	answers  atomic.Int64

	mu     sync.RWMutex
	agents map[*agent]struct{}
	askers map[index.Key][]*agent
	total  int
}

// NewServer makes a server whose agents may ask for so many keys each, and all of
// them for so many. It takes the index's [index.Index.OnChange].
func NewServer(x *index.Index, networks *index.Networks, synced func() bool, selected Selection, perAgent, most int) *Server {
	s := &Server{
		index: x, networks: networks, synced: synced, labels: selected, perAgent: perAgent, most: most,
		agents: map[*agent]struct{}{}, askers: map[index.Key][]*agent{},
	}
	x.OnChange(s.changed)
	return s
}

// Options are those that the gRPC server needs.
func Options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodec(encoding.Codec(codec{})), grpc.WaitForHandlers(true), grpc.MaxRecvMsgSize(1 << 20),
	}
}

// Register lets a gRPC server serve.
func (s *Server) Register(g *grpc.Server) {
	g.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{watchStream}}, s)
}

// Sizes gives how many agents there are, how many keys they have asked for, and how
// many answers they have got.
func (s *Server) Sizes() (agents, keys int, answers int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.agents), s.total, s.answers.Load()
}

// changed lets those who have asked for a key know of it.
func (s *Server) changed(k index.Key) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.askers[k] {
		a.mark(k)
	}
}

// serve is one agent's stream: this goroutine receives, another one sends.
func (s *Server) serve(stream grpc.ServerStream) error {
	a := &agent{keys: map[index.Key]bool{}, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.agents[a] = struct{}{}
	s.mu.Unlock()
	defer s.leave(a)

	ctx, cancel := context.WithCancel(stream.Context())
	var sending sync.WaitGroup
	sending.Go(func() { s.send(ctx, a, stream) })
	defer sending.Wait()
	defer cancel()
	for {
		var m ask
		if err := stream.RecvMsg(&m); err != nil {
			return nil // the agent has gone
		}
		for _, k := range m.Drop {
			s.drop(a, k)
		}
		for _, k := range m.Keys {
			if !s.add(a, k) {
				return status.Error(codes.ResourceExhausted, "too many keys are asked for")
			}
		}
	}
}

// add notes that an agent asks for a key, unless these are too many.
func (s *Server) add(a *agent, k index.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.asks(k) {
		a.mark(k)
		return true
	}
	if s.total >= s.most || a.add(k) > s.perAgent {
		return false
	}
	s.total++
	s.askers[k] = append(s.askers[k], a)
	return true
}

func (s *Server) drop(a *agent, k index.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.drop(k) {
		s.forget(a, k)
	}
}

func (s *Server) forget(a *agent, k index.Key) {
	all := s.askers[k]
	i := slices.Index(all, a)
	if i < 0 {
		return
	}
	s.total--
	all[i] = all[len(all)-1]
	all[len(all)-1] = nil
	if all = all[:len(all)-1]; len(all) == 0 {
		delete(s.askers, k)
	} else {
		s.askers[k] = all
	}
}

func (s *Server) leave(a *agent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.agents, a)
	for k := range a.keys {
		s.forget(a, k)
	}
}

// send tells an agent of its keys, once all of the cluster is known: what nobody
// has is not known before.
func (s *Server) send(ctx context.Context, a *agent, stream grpc.ServerStream) {
	greet := func(synced bool) error {
		return stream.SendMsg(&tell{Hello: &hello{Version: Version, Synced: synced, Labels: s.labels}})
	}
	if !s.synced() {
		if greet(false) != nil {
			return
		}
		for !s.synced() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(syncInterval):
			}
		}
	}
	if greet(true) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wake:
		}
		for keys := a.take(); len(keys) > 0; keys = a.take() {
			m := &tell{Answers: make([]answer, len(keys))}
			for i, k := range keys {
				m.Answers[i] = newAnswer(s.index, s.networks, k)
			}
			if stream.SendMsg(m) != nil {
				return
			}
			s.answers.Add(int64(len(keys)))
		}
	}
}
