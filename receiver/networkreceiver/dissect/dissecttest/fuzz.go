// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wirespan/wirespan/internal/testkit/seed"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Fuzz plays arbitrary connections. The seeds are the scripts in testdata and in
// the testdata of the folders beside this one, and captured conversations. Whatever comes, no dissector may
// panic, use more than there is, or keep memory, and no limit may be passed.
func Fuzz(f *testing.F, dissectors ...dissect.Dissector) {
	for _, pattern := range []string{"testdata/*.script", "../*/testdata/*.script"} {
		if names, err := filepath.Glob(pattern); err != nil || len(names) == 0 {
			continue
		}
		for _, script := range Load(f, pattern) {
			f.Add(encode(script))
		}
	}
	for _, c := range seed.Conversations(f) {
		f.Add(encode(scriptOf(&c)))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		runWith(1<<20, decode(input), dissectors).must(t)
	})
}

// An encoded script is one byte of circumstances and then steps: a byte of kind
// and direction, two bytes of length, and for data the bytes.
const (
	flagMidway = 1 << iota
	flagRemote
	flagUDP
	flagSmall // low limits
)

// scriptOf makes a script of a captured conversation.
func scriptOf(c *seed.Conversation) *Script {
	s := &Script{Name: "captured", Initiator: conn.InitiatorLocal, Transport: capture.TCP}
	if c.UDP {
		s.Transport = capture.UDP
	}
	for _, turn := range c.Turns {
		step := Step{Data: turn.Data}
		if turn.Back {
			step.Dir = conn.In
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

func encode(s *Script) []byte {
	var out []byte
	flags := byte(0)
	if s.Midway {
		flags |= flagMidway
	}
	if s.Initiator == conn.InitiatorRemote {
		flags |= flagRemote
	}
	if s.Transport == capture.UDP {
		flags |= flagUDP
	}
	if s.Limits != (dissect.Limits{}) {
		flags |= flagSmall
	}
	out = append(out, flags)
	for _, step := range s.Steps {
		for {
			n := min(len(step.Data), 1<<16-1)
			size := n
			if step.Kind != StepData {
				size = int(min(step.N, 1<<16-1))
			}
			out = append(out, byte(step.Kind)<<4|byte(max(slices.Index(fuzzReasons[:], step.Reason), 0))<<1|byte(step.Dir))
			out = binary.BigEndian.AppendUint16(out, uint16(size))
			out = append(out, step.Data[:n]...)
			if step.Data = step.Data[n:]; len(step.Data) == 0 {
				break
			}
		}
	}
	return out
}

// fuzzReasons are the ends in a fuzzer's input, each by its index.
var fuzzReasons = [...]conn.Reason{
	conn.ReasonFIN, conn.ReasonRST, conn.ReasonIdle, conn.ReasonEvicted, conn.ReasonReused, conn.ReasonElsewhere,
	conn.ReasonShutdown,
}

func decode(input []byte) *Script {
	s := &Script{Name: "fuzz", Initiator: conn.InitiatorLocal, Transport: capture.TCP, Port: 80}
	if len(input) == 0 {
		return s
	}
	flags, input := input[0], input[1:]
	if s.Midway = flags&flagMidway != 0; s.Midway {
		s.Initiator = conn.InitiatorUnknown
	}
	if flags&flagRemote != 0 {
		s.Initiator = conn.InitiatorRemote
	}
	if flags&flagUDP != 0 {
		s.Transport = capture.UDP
	}
	if flags&flagSmall != 0 {
		s.Limits = dissect.Limits{HeaderBytes: 256, BodyBytes: 64, Outstanding: 2, Age: 1e9}
	}
	for len(input) >= 3 {
		step := Step{
			Kind:   StepKind(input[0]>>4) % (StepClose + 1),
			Reason: fuzzReasons[int(input[0]>>1&7)%len(fuzzReasons)],
			Dir:    conn.Dir(input[0] & 1),
		}
		n := int(binary.BigEndian.Uint16(input[1:]))
		input = input[3:]
		switch step.Kind {
		case StepData:
			n = min(n, len(input))
			step.Data, input = input[:n], input[n:]
		case StepWait:
			step.N = uint64(n) * uint64(millisecond)
		default:
			step.N = uint64(n)
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}
