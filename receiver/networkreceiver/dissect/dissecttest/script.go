// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package dissecttest tests dissectors through the real engine and the real
// pairer. Each test of a dissector is one line:
//
//	func TestGolden(t *testing.T) { dissecttest.Golden(t, Dissector{}) }
//	func TestChop(t *testing.T)   { dissecttest.Chop(t, Dissector{}) }
//	func TestHole(t *testing.T)   { dissecttest.Hole(t, Dissector{}) }
//	func FuzzData(f *testing.F)   { dissecttest.Fuzz(f, Dissector{}) }
//
// The fixtures are the files testdata/*.script and testdata/*.pcap (or .pcapng)
// beside the test. A script is one connection, written by hand:
//
//	# The handshake was not seen.
//	midway
//	limit body_bytes 10
//	> "GET / HTTP/1.1\r\n"
//	  "Host: a.example\r\n\r\n"
//	< "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n" "x" * 1000
//	gap < 1000
//	< "x" * 1000
//	< hex 0d 0a ff
//	wait 2s
//	end > fin
//	close rst
//
// ">" is one segment from the local to the remote end, "<" one back. Indented
// lines go on with the segment. Every segment comes a millisecond after the one
// before and acknowledges all that was sent the other way, lost bytes included.
// Before the first segment there can be:
//
//	midway               the handshake was not seen
//	initiator remote     the remote end opened the connection (or: unknown)
//	transport udp        each segment is a datagram
//	port 8080            the remote port; 80 by default
//	limit NAME NUMBER    header_bytes, body_bytes, outstanding, age (nanoseconds)
//
// Without "close" the connection closes with "shutdown".
package dissecttest // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Script is what happens on one connection.
type Script struct {
	Name      string
	Midway    bool
	Initiator conn.Initiator
	Transport capture.Transport
	Port      uint16
	Limits    dissect.Limits
	Steps     []Step
}

// StepKind tells what a step does.
type StepKind uint8

// Kinds of steps.
const (
	StepData  StepKind = iota
	StepGap            // N bytes are missing
	StepEnd            // a direction ends for Reason
	StepWait           // N nanoseconds pass
	StepClose          // the connection ends for Reason
)

// Step is one step of a script.
type Step struct {
	Kind   StepKind
	Dir    conn.Dir
	Data   []byte
	N      uint64
	Reason conn.Reason
	// Same is set where data was captured in the same segment as the data before.
	Same bool
}

var reasons = map[string]conn.Reason{
	"fin": conn.ReasonFIN, "rst": conn.ReasonRST, "idle": conn.ReasonIdle,
	"evicted": conn.ReasonEvicted, "reused": conn.ReasonReused, "shutdown": conn.ReasonShutdown,
}

// Parse reads a script.
func Parse(name string, text []byte) (*Script, error) {
	s := &Script{Name: name, Initiator: conn.InitiatorLocal, Transport: capture.TCP, Port: 80}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if err := s.line(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return s, lines.Err()
}

func (s *Script) line(line string) error {
	if line[0] == ' ' || line[0] == '\t' {
		if len(s.Steps) == 0 || s.Steps[len(s.Steps)-1].Kind != StepData {
			return fmt.Errorf("nothing to go on with: %q", line)
		}
		return s.Steps[len(s.Steps)-1].appendData(line)
	}
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case ">", "<":
		step := Step{Dir: dirs[verb]}
		err := step.appendData(rest)
		s.Steps = append(s.Steps, step)
		return err
	case "gap", "end", "wait", "close":
		return s.event(verb, strings.Fields(rest))
	}
	return s.header(verb, strings.Fields(rest))
}

var dirs = map[string]conn.Dir{">": conn.Out, "<": conn.In}

// appendData parses strings in Go's syntax, "hex" with bytes up to the end of the
// line, and repetitions of the item before.
func (s *Step) appendData(text string) error {
	var item []byte
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if digits, ok := strings.CutPrefix(text, "hex "); ok {
			b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
			s.Data = append(s.Data, b...)
			return err
		}
		if count, ok := strings.CutPrefix(text, "*"); ok {
			word, rest, _ := strings.Cut(strings.TrimSpace(count), " ")
			n, err := strconv.Atoi(word)
			if err != nil || n < 1 || item == nil {
				return fmt.Errorf("no repetition: %q", text)
			}
			s.Data = append(s.Data, bytes.Repeat(item, n-1)...)
			item, text = nil, rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return fmt.Errorf("no string: %q", text)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return fmt.Errorf("no string: %q", quoted)
		}
		item = []byte(value)
		s.Data = append(s.Data, item...)
		text = text[len(quoted):]
	}
	return nil
}

func (s *Script) event(verb string, args []string) (err error) {
	step := Step{Reason: conn.ReasonFIN}
	dir, hasDir := conn.Dir(0), false
	if len(args) > 0 {
		dir, hasDir = dirs[args[0]]
	}
	if step.Dir = dir; hasDir {
		args = args[1:]
	}
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	if r, ok := reasons[arg]; ok {
		step.Reason, arg = r, ""
	}
	switch {
	case verb == "gap" && hasDir:
		step.Kind = StepGap
		step.N, err = strconv.ParseUint(arg, 10, 32)
	case verb == "end" && hasDir && arg == "":
		step.Kind = StepEnd
	case verb == "wait":
		var d time.Duration
		d, err = time.ParseDuration(arg)
		step.Kind, step.N = StepWait, uint64(d)
	case verb == "close" && arg == "":
		step.Kind = StepClose
	default:
		return fmt.Errorf("not understood: %s %v", verb, args)
	}
	s.Steps = append(s.Steps, step)
	return err
}

func (s *Script) header(verb string, args []string) error {
	switch line := strings.Join(append([]string{verb}, args...), " "); line {
	case "midway":
		s.Midway, s.Initiator = true, conn.InitiatorUnknown
		return nil
	case "initiator local":
		s.Initiator = conn.InitiatorLocal
		return nil
	case "initiator remote":
		s.Initiator = conn.InitiatorRemote
		return nil
	case "initiator unknown":
		s.Initiator = conn.InitiatorUnknown
		return nil
	case "transport udp":
		s.Transport = capture.UDP
		return nil
	}
	switch {
	case verb == "port" && len(args) == 1:
		n, err := strconv.ParseUint(args[0], 10, 16)
		s.Port = uint16(n)
		return err
	case verb == "limit" && len(args) == 2:
		return s.limit(args[0], args[1])
	}
	return fmt.Errorf("not understood: %s %v", verb, args)
}

func (s *Script) limit(name, value string) error {
	n, err := strconv.Atoi(value)
	switch name {
	case "header_bytes":
		s.Limits.HeaderBytes = n
	case "body_bytes":
		s.Limits.BodyBytes = n
	case "outstanding":
		s.Limits.Outstanding = n
	case "age":
		s.Limits.Age = int64(n)
	default:
		return fmt.Errorf("no such limit: %s", name)
	}
	return err
}

// Load reads the scripts that match a pattern, at least one.
func Load(tb testing.TB, pattern string) []*Script {
	tb.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		tb.Fatal(err)
	}
	slices.Sort(names)
	var scripts []*Script
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		s, err := Parse(name, text)
		if err != nil {
			tb.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	if len(scripts) == 0 {
		tb.Fatalf("no fixture matches %s", pattern)
	}
	return scripts
}
