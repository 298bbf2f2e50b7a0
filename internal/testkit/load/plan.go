// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package load sends HTTP/1.1 requests over connections that are kept alive, and
// remembers of each what became of it. What it says is the truth that captures are
// compared with: every request has a sequence number, goes out in one segment, and
// is on its connection the only one under way.
package load // import "github.com/wirespan/wirespan/internal/testkit/load"

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"
)

// Plan says what to send. The number of requests and the time are both bounded.
type Plan struct {
	Addr        string // host:port of the server
	Path        string // request path; the sequence number is added as a query
	Name        string // what the ids of the requests begin with
	Body        int    // bytes of each request's body; 0 for GET
	Connections int
	Requests    int           // at most so many
	Duration    time.Duration // at most so long
	// Rate is the number of requests per second in an open loop: each request has
	// a time at which it is due, whatever became of those before it. 0 is a closed
	// loop: each connection sends its next request when it has its response.
	Rate float64
	// Pause is called when the connections were opened and have had a request each,
	// and once more at the end: each gets a last request after that. Nil for neither.
	// So nothing but calls is lost while the load lasts, and it lies between calls
	// that are not.
	Pause func()
}

// Flags lets a command line set the plan.
func (p *Plan) Flags(flags *flag.FlagSet) {
	flags.StringVar(&p.Addr, "addr", "127.0.0.1:8080", "server")
	flags.StringVar(&p.Path, "path", "/", "request path")
	flags.StringVar(&p.Name, "name", "load", "what the ids of the requests begin with")
	flags.IntVar(&p.Body, "body", 0, "bytes of each request's body")
	flags.IntVar(&p.Connections, "connections", 1, "connections")
	flags.IntVar(&p.Requests, "requests", 1000, "requests at most")
	flags.DurationVar(&p.Duration, "duration", 10*time.Second, "time at most")
	flags.Float64Var(&p.Rate, "rate", 0, "requests per second; 0 for as many as the server answers")
}

// Args are the arguments that give the plan to a program which has these flags.
func (p *Plan) Args() []string {
	return []string{
		"-addr", p.Addr, "-path", p.Path, "-name", p.Name, "-body", strconv.Itoa(p.Body),
		"-connections", strconv.Itoa(p.Connections), "-requests", strconv.Itoa(p.Requests), "-duration", p.Duration.String(),
		"-rate", strconv.FormatFloat(p.Rate, 'g', -1, 64),
	}
}

// Bounds of a plan.
const (
	MaxConnections = 10_000
	MaxRequests    = 100_000_000
	MaxDuration    = time.Hour
)

// ends is how many requests are sent before and after the load.
func (p *Plan) ends() int {
	if p.Pause == nil {
		return p.Connections
	}
	return 2 * p.Connections
}

// Validate tells what is wrong with the plan.
func (p *Plan) Validate() error {
	var all []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	check(p.Connections >= 1 && p.Connections <= MaxConnections, "connections is %d, must be between 1 and %d", p.Connections, MaxConnections)
	check(p.Requests >= p.ends() && p.Requests <= MaxRequests, "requests is %d, must be between %d and %d", p.Requests, p.ends(), MaxRequests)
	check(p.Duration > 0 && p.Duration <= MaxDuration, "duration is %s, must be between 0 and %s", p.Duration, MaxDuration)
	check(p.Rate >= 0 && p.Rate <= 1e6, "rate is %g, must be between 0 and 1000000", p.Rate)
	check(p.Body >= 0 && p.Body <= 1<<30, "body is %d, must be between 0 and 1 GiB", p.Body)
	return errors.Join(all...)
}
