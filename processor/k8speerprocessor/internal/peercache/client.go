// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package peercache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// Intervals between attempts to reach the cache. They vary at random, so that a
// cache that comes back does not see all agents at once.
const (
	minInterval = time.Second
	maxInterval = 30 * time.Second
)

// errNotSynced is the state of a cache that does not know all of the cluster.
var errNotSynced = errors.New("the cache does not know the cluster yet")

// Health takes how the contact to the cache is.
type Health interface {
	Works()
	Failed(ctx context.Context, err error)
}

// Client keeps a replica up to date with a cache, for as long as it runs. What
// fails is tried again; until then, what is known serves on.
type Client struct {
	replica  *index.Replica
	health   Health
	selected Selection

	reached, connected, synced atomic.Bool
	asked, answers             atomic.Int64
}

// NewClient makes a client that selects labels from those that the cache has.
func NewClient(r *index.Replica, health Health, selected Selection) *Client {
	return &Client{replica: r, health: health, selected: selected}
}

// Synced reports whether there has been a cache that knows all of the cluster.
func (c *Client) Synced() bool { return c.synced.Load() }

// Answering reports whether what has been asked for may be told soon: there is a
// cache, or there has been none yet.
func (c *Client) Answering() bool { return c.connected.Load() || !c.reached.Load() }

// Counts gives how many keys have been asked for, and how many answers have come.
func (c *Client) Counts() (asked, answers int64) { return c.asked.Load(), c.answers.Load() }

// Run asks until the context ends.
func (c *Client) Run(ctx context.Context, conn *grpc.ClientConn) {
	for interval := minInterval; ; interval = min(2*interval, maxInterval) {
		conn.ResetConnectBackoff()
		err := c.session(ctx, conn)
		if c.connected.Swap(false) {
			interval = minInterval
		}
		c.health.Failed(ctx, err)
		t := time.NewTimer(interval/2 + rand.N(interval/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// session is one stream, until that fails.
func (c *Client) session(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := conn.NewStream(ctx, &watchStream, "/"+service+"/"+watchStream.StreamName, grpc.ForceCodec(codec{}))
	if err != nil {
		cancel()
		return fmt.Errorf("connect: %w", err)
	}
	c.replica.Restart()
	var sending sync.WaitGroup
	sending.Go(func() { c.send(ctx, stream) })
	defer c.replica.Pause()
	defer sending.Wait()
	defer cancel()
	return c.receive(ctx, stream)
}

func (c *Client) send(ctx context.Context, stream grpc.ClientStream) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.replica.Wanted():
		}
		wanted, unused := c.replica.Take()
		for len(wanted) > 0 || len(unused) > 0 {
			m := &ask{Drop: unused[:min(maxAsked, len(unused))], Keys: wanted[:min(maxAsked, len(wanted))]}
			if len(m.Drop) == maxAsked {
				m.Keys = nil
			}
			unused, wanted = unused[len(m.Drop):], wanted[len(m.Keys):]
			if stream.SendMsg(m) != nil {
				return // receiving fails as well
			}
			c.asked.Add(int64(len(m.Keys)))
		}
	}
}

func (c *Client) receive(ctx context.Context, stream grpc.ClientStream) error {
	l := &labels{}
	for {
		var m tell
		if err := stream.RecvMsg(&m); err != nil {
			return fmt.Errorf("read from the cache: %w", err)
		}
		if h := m.Hello; h != nil {
			if h.Version != Version {
				return fmt.Errorf("the cache speaks version %d, this is version %d", h.Version, Version)
			}
			*l = c.translation(h.Labels)
			if h.Synced {
				c.reached.Store(true)
				c.connected.Store(true)
				c.synced.Store(true)
				c.health.Works()
			} else {
				c.health.Failed(ctx, errNotSynced)
			}
		}
		now := time.Now().UnixNano()
		for i := range m.Answers {
			a := &m.Answers[i]
			c.replica.Put(a.Key, a.claims(l), a.Of, now)
		}
		c.answers.Add(int64(len(m.Answers)))
	}
}

func (c *Client) translation(there Selection) labels {
	here := func(told, selected []string) []int {
		all := make([]int, len(told))
		for i, key := range told {
			all[i] = slices.Index(selected, key)
		}
		return all
	}
	return labels{here(there.Pod, c.selected.Pod), here(there.Service, c.selected.Service), here(there.Node, c.selected.Node)}
}
