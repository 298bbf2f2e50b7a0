// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

const (
	holeSeeds = 100
	copies    = 4
	// found is how many of ten runs have to find the last call. It is not all: a
	// loss can hide how the next message has to be read (a response whose request
	// is lost).
	foundOfTen = 9
)

// Hole replaces random ranges of every script by gaps. Nothing may break, no two
// messages may be paired that are not a pair (unless the exchange is uncertain),
// and if the dissector offers dissect.Resyncer, a script that can be repeated on
// one connection has to give its last call again after a loss in the first.
func Hole(t *testing.T, d ...dissect.Dissector) {
	t.Helper()
	resyncs := !slices.ContainsFunc(d, func(d dissect.Dissector) bool {
		_, ok := d.New(d.Info().Limits, discard{}).(dissect.Resyncer)
		return !ok
	})
	for _, script := range Load(t, "testdata/*.script") {
		if script.Transport == capture.UDP {
			continue
		}
		t.Run(filepath.Base(script.Name), func(t *testing.T) {
			pairs := pairsOf(Run(script, d...).must(t).Exchanges)
			for seed := range uint64(holeSeeds) {
				got := Run(script.holed(rand.New(rand.NewPCG(seed, 1)), len(script.Steps)), d...).must(t)
				checkPairs(t, pairs, got.Exchanges)
			}
			if resyncs {
				holeAndGoOn(t, script, d)
			}
		})
	}
}

// holeAndGoOn repeats the script on one connection with a hole in the first.
func holeAndGoOn(t *testing.T, script *Script, d []dissect.Dissector) {
	t.Helper()
	once, repeated := Run(script, d...), script.repeat(copies)
	whole := Run(repeated, d...)
	if len(once.Exchanges) == 0 || len(whole.Exchanges) != copies*len(once.Exchanges) || incomplete(whole) || whole.upgraded {
		return // the script ends the connection, or would mean something else
	}
	pairs := pairsOf(whole.Exchanges)
	last := whole.Exchanges[len(whole.Exchanges)-1]
	found := 0
	for seed := range uint64(holeSeeds) {
		got := Run(repeated.holed(rand.New(rand.NewPCG(seed, 2)), len(script.Steps)), d...).must(t)
		checkPairs(t, pairs, got.Exchanges)
		if slices.ContainsFunc(got.Exchanges, func(x *pair.Exchange) bool { return sameCall(x, last) }) {
			found++
		}
	}
	if found < holeSeeds*foundOfTen/10 {
		t.Errorf("after a loss the last call was found in %d of %d runs", found, holeSeeds)
	}
}

// incomplete tells whether a call is without its other side.
func incomplete(r *Result) bool {
	return slices.ContainsFunc(r.Exchanges, func(x *pair.Exchange) bool { return x.Missing != "" })
}

// repeat gives the script's data several times over.
func (s *Script) repeat(n int) *Script {
	out := *s
	out.Steps = nil
	for range n {
		for _, step := range s.Steps {
			if step.Kind == StepData || step.Kind == StepGap {
				out.Steps = append(out.Steps, step)
			}
		}
	}
	return &out
}

// holed replaces a range of bytes of the first n steps by a gap, in one or both
// directions.
func (s *Script) holed(random *rand.Rand, n int) *Script {
	out := *s
	out.Steps = append([]Step(nil), s.Steps...)
	which := random.IntN(3)
	for _, d := range [...]conn.Dir{conn.Out, conn.In} {
		if which == int(d) {
			continue
		}
		total := 0
		for _, step := range s.Steps[:n] {
			if step.Dir == d {
				total += len(step.Data)
			}
		}
		if total > 0 {
			from := random.IntN(total)
			out.Steps = lose(out.Steps, d, from, from+1+random.IntN(min(total-from, 1+total/4)))
		}
	}
	return &out
}

// lose replaces the bytes from..to of a direction by gaps.
func lose(steps []Step, d conn.Dir, from, to int) (out []Step) {
	at := 0
	for _, step := range steps {
		if step.Kind != StepData || step.Dir != d {
			out = append(out, step)
			continue
		}
		lo, hi := max(from-at, 0), min(to-at, len(step.Data))
		at += len(step.Data)
		if lo >= hi {
			out = append(out, step)
			continue
		}
		if lo > 0 {
			out = append(out, step.part(0, lo))
		}
		out = append(out, Step{Kind: StepGap, Dir: d, N: uint64(hi - lo), Same: step.Same || lo > 0})
		if hi < len(step.Data) {
			out = append(out, step.part(hi, len(step.Data)))
		}
	}
	return out
}

// pairsOf maps where each request begins to where its response begins, and back.
func pairsOf(exchanges []*pair.Exchange) map[[2]uint64]uint64 {
	pairs := map[[2]uint64]uint64{}
	for _, x := range exchanges {
		if x.Request != nil && x.Response != nil {
			pairs[[2]uint64{0, x.Request.First.Offset}] = x.Response.First.Offset
			pairs[[2]uint64{1, x.Response.First.Offset}] = x.Request.First.Offset
		}
	}
	return pairs
}

// checkPairs compares with the pairs of the whole script. Messages that begin
// where the whole script has none are left out.
func checkPairs(t *testing.T, pairs map[[2]uint64]uint64, exchanges []*pair.Exchange) {
	t.Helper()
	for _, x := range exchanges {
		if x.Request == nil || x.Response == nil || x.Uncertain {
			continue
		}
		request, response := x.Request.First.Offset, x.Response.First.Offset
		want, known := pairs[[2]uint64{0, request}]
		_, responseKnown := pairs[[2]uint64{1, response}]
		if known && responseKnown && want != response {
			t.Errorf("the request at %d is paired with the response at %d, not %d", request, response, want)
		}
	}
}

// sameCall tells whether two exchanges are the same call in the same place.
func sameCall(a, b *pair.Exchange) bool {
	return same(a.Request, b.Request) && same(a.Response, b.Response)
}

func same(a, b *dissect.Message) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.First.Offset == b.First.Offset && a.Last.Offset == b.Last.Offset
}

// discard is a Sink for conversations that are never used.
type discard struct{}

func (discard) Message(*dissect.Message) {}
func (discard) Started(*dissect.Message) {}
func (discard) Upgrade(string)           {}
func (discard) Limit(string)             {}
func (discard) Keep(int) bool            { return false }
func (discard) Release(int)              {}
