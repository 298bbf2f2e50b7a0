// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Chop delivers every script cut at each possible point (of long ones: at points
// spread over it), cut at random, and byte by byte. Each has to give what the
// whole script gives.
func Chop(t *testing.T, d ...dissect.Dissector) {
	t.Helper()
	for _, script := range Load(t, "testdata/*.script") {
		if script.Transport == capture.UDP {
			continue
		}
		t.Run(filepath.Base(script.Name), func(t *testing.T) {
			want := Run(script, d...).must(t).Text(Epoch)
			same := func(what string, cut *Script) {
				t.Helper()
				got := Run(cut, d...).must(t)
				if diff := cmp.Diff(want, got.Text(Epoch)); diff != "" {
					t.Fatalf("%s (-whole +cut):\n%s", what, diff)
				}
			}
			same("byte by byte", script.cut(func(Step, int) bool { return true }))
			chopOnce(same, script)
			for seed := range uint64(30) {
				random := rand.New(rand.NewPCG(seed, 0))
				same("cut at random", script.cut(func(Step, int) bool { return random.IntN(8) == 0 }))
			}
		})
	}
}

// chopOnce cuts each step in two, at up to so many points of each script.
func chopOnce(same func(string, *Script), script *Script) {
	const points = 400
	total := 0
	for _, step := range script.Steps {
		total += len(step.Data)
	}
	stride := max(1, total/points)
	for at := 1; at < total; at += stride {
		n := 0
		same("cut in two", script.cut(func(Step, int) bool { n++; return n == at }))
	}
}

// cut gives the script with every segment cut where split says so: before index i
// of the step's data. The pieces keep the time and the acknowledgement.
func (s *Script) cut(split func(step Step, i int) bool) *Script {
	out := *s
	out.Steps = nil
	for _, step := range s.Steps {
		if step.Kind != StepData {
			out.Steps = append(out.Steps, step)
			continue
		}
		from := 0
		for i := range step.Data {
			if i > 0 && split(step, i) {
				out.Steps = append(out.Steps, step.part(from, i))
				from = i
			}
		}
		out.Steps = append(out.Steps, step.part(from, len(step.Data)))
	}
	return &out
}

// part is the step with the data between two indices.
func (s Step) part(from, to int) Step {
	s.Same = s.Same || from > 0
	s.Data = s.Data[from:to]
	return s
}
