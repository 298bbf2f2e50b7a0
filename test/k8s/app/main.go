// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command app is every application of the cluster under test: "serve" answers
// calls, "call" makes them, and "pause" keeps a pod's namespaces. It knows nothing
// of Wirespan.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
	"github.com/wirespan/wirespan/test/k8s/witness"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if len(os.Args) < 2 {
		log.Fatal("usage: app serve|call|pause [flags]")
	}
	var err error
	switch flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError); os.Args[1] {
	case "serve":
		addr := flags.String("listen", ":8080", "address")
		_ = flags.Parse(os.Args[2:])
		err = serve(ctx, *addr)
	case "call":
		c := caller{}
		flags.DurationVar(&c.interval, "interval", 200*time.Millisecond, "between rounds of calls")
		flags.IntVar(&c.rounds, "rounds", 0, "of calls to each target; 0: for ever")
		flags.BoolVar(&c.keep, "keep", false, "connections between rounds")
		flags.DurationVar(&c.delay, "delay", 0, "before the first round")
		_ = flags.Parse(os.Args[2:])
		c.targets = flags.Args()
		err = c.run(ctx)
	case "pause":
		<-ctx.Done()
	}
	if err != nil {
		log.Fatal(err)
	}
}

// grace is how long a server goes on answering after SIGTERM: until every client
// has been told that it is none any more.
const grace = 3 * time.Second

func serve(ctx context.Context, addr string) error {
	witnesses, err := witness.Open()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: addr, ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		call := witness.Call{Server: true, Sequence: r.Header.Get(truth.SequenceHeader), Remote: r.RemoteAddr, Status: http.StatusOK}
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(fmt.Stringer); ok {
			call.Local = local.String()
		}
		if err := witnesses.Write(call); err != nil {
			log.Print(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"sequence":%q}`, call.Sequence)
	})}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		time.Sleep(grace)
		last, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		stopped <- server.Shutdown(last)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

// caller makes calls.
type caller struct {
	targets         []string // hosts and ports
	rounds          int
	interval, delay time.Duration
	keep            bool

	witnesses *witness.Log
	client    http.Client
}

func (c *caller) run(ctx context.Context) (err error) {
	if c.witnesses, err = witness.Open(); err != nil {
		return err
	}
	c.client = http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: !c.keep}}
	pause(ctx, c.delay)
	for round := 0; ctx.Err() == nil && (c.rounds == 0 || round < c.rounds); round++ {
		for i, target := range c.targets {
			// Not the context: a call that has begun is made to its end.
			c.call(target, fmt.Sprintf("%s.%s.%d.%d", os.Getenv("POD_UID"), os.Getenv("CONTAINER"), round, i))
		}
		pause(ctx, c.interval)
	}
	return nil
}

func (c *caller) call(target, sequence string) {
	call := witness.Call{Sequence: sequence, Target: target}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		call.Local, call.Remote = info.Conn.LocalAddr().String(), info.Conn.RemoteAddr().String()
	}}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodPost,
		"http://"+target+"/orders", strings.NewReader(`{"order":1}`))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set(truth.SequenceHeader, sequence)
	response, err := c.client.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		call.Status = response.StatusCode
	}
	if err != nil {
		call.Error = err.Error()
	}
	if err := c.witnesses.Write(call); err != nil {
		log.Print(err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
