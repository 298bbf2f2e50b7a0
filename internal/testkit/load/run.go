// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package load

import (
	"errors"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Run carries out a plan. It gives the calls in the order of their sequence
// numbers, which are 1, 2, 3, ... without a hole, and why connections failed.
func Run(p Plan) ([]Call, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	// What is under way when the time is over gets some more.
	deadline := time.Now().Add(p.Duration + grace)
	r := &run{Plan: p}
	defer r.close()
	for range p.Connections {
		c, err := p.connect(deadline)
		if err != nil {
			return nil, err
		}
		r.connections = append(r.connections, c)
	}
	err := r.once()
	if err == nil && p.Pause != nil {
		p.Pause()
	}
	switch {
	case err != nil:
	case p.Rate > 0:
		err = r.open(time.Now())
	default:
		err = r.closed(time.Now())
	}
	if err == nil && p.Pause != nil {
		p.Pause()
		err = r.once()
	}
	return r.calls(), err
}

// grace is how much longer than the plan's time connections may last.
const grace = 2 * time.Minute

// once sends one request over each connection, one after the other.
func (r *run) once() error {
	for _, c := range r.connections {
		if err := c.exchange(r.next(time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// run is a plan that is carried out.
type run struct {
	Plan
	connections []*connection
	sequence    atomic.Uint64
}

func (r *run) next(due time.Time) Call {
	return Call{Sequence: r.sequence.Add(1), Due: due.UnixNano()}
}

// calls are those of all connections.
func (r *run) calls() []Call {
	var all []Call
	for _, c := range r.connections {
		all = append(all, c.calls...)
	}
	slices.SortFunc(all, func(a, b Call) int { return int(a.Sequence) - int(b.Sequence) })
	return all
}

// close resets the connections. Both ends see a reset; of an orderly end the last
// FIN may come to a socket that is in TIME-WAIT already, where nobody sees it.
func (r *run) close() {
	for _, c := range r.connections {
		if tcp, ok := c.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.conn.Close()
	}
}

// closed lets each connection send as soon as it may.
func (r *run) closed(start time.Time) error {
	left := atomic.Int64{}
	left.Store(int64(r.Requests - r.ends()))
	errs := make([]error, len(r.connections))
	var wg sync.WaitGroup
	for i, c := range r.connections {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				now := time.Now()
				if now.Sub(start) >= r.Duration {
					return
				}
				if errs[i] = c.exchange(r.next(now)); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// open sends each request at its time, over whatever connection is free then. If
// none is, the request waits, and its latency has that in it.
func (r *run) open(start time.Time) error {
	free := make(chan *connection, len(r.connections))
	errs := make(chan error, len(r.connections))
	var wg sync.WaitGroup
	for _, c := range r.connections {
		c.under = make(chan Call, 1)
		free <- c
		wg.Go(func() {
			for call := range c.under {
				err := c.receive(&call)
				c.calls = append(c.calls, call)
				if err != nil {
					errs <- err
					return
				}
				free <- c
			}
		})
	}
	err := r.pace(start, free, errs)
	for _, c := range r.connections {
		close(c.under)
	}
	wg.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// pace sends the requests of an open loop. It sleeps in the kernel, on a thread of
// its own: Go's timers are only as exact as a millisecond.
func (r *run) pace(start time.Time, free <-chan *connection, errs chan error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const setTimerSlack = 29 // PR_SET_TIMERSLACK
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
	interval := time.Duration(float64(time.Second) / r.Rate)
	for i := range r.Requests - r.ends() {
		due := start.Add(time.Duration(i) * interval)
		if due.Sub(start) >= r.Duration {
			return nil
		}
		if wait := time.Until(due); wait > 0 {
			ts := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&ts, nil)
		}
		var c *connection
		select {
		case c = <-free:
		case err := <-errs:
			return err
		}
		call := r.next(due)
		if err := c.send(&call); err != nil {
			c.calls = append(c.calls, call)
			return err
		}
		c.under <- call
	}
	return nil
}
