// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package seed gives fuzz targets their first inputs: the capture files among the
// repository's fixtures and, where it is there, the corpus beside the repository
// (../shared/corpus/dev), as files, frames, packets and conversations.
//
// A plain test run gets a small sample of the fixtures, so that it takes no time.
// Number and size are bounded in a fuzz run as well: large inputs are slow to
// mutate, and many that are alike teach nothing.
package seed // import "github.com/wirespan/wirespan/internal/testkit/seed"

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wirespan/wirespan/internal/testkit"
)

const (
	sample      = 12       // seeds of a target in a plain test run
	maxCaptures = 120      // files
	maxCapture  = 16 << 10 // bytes of a file; of a longer one, the first frames
	maxFrames   = 600
	maxTalks    = 300      // conversations
	maxTalk     = 16 << 10 // bytes of a conversation
)

// Captures gives capture files, each as its bytes.
func Captures(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, file := range files(tb) {
		content, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		if len(content) > maxCapture {
			content = write(tb, read(tb, file), maxCapture)
		}
		all = append(all, content)
	}
	return spread(all, maxCaptures)
}

// Frames gives captured frames.
func Frames(tb testing.TB) []Frame {
	tb.Helper()
	var all []Frame
	for _, file := range files(tb) {
		all = append(all, spread(read(tb, file), 60)...)
	}
	return spread(all, maxFrames)
}

// Packets gives captured IP packets.
func Packets(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, frame := range Frames(tb) {
		if packet := frame.ip(); packet != nil {
			all = append(all, packet)
		}
	}
	return all
}

// Conversations gives what both ends of captured connections said.
func Conversations(tb testing.TB) []Conversation {
	tb.Helper()
	var all []Conversation
	for _, file := range files(tb) {
		all = append(all, conversations(read(tb, file), maxTalk)...)
	}
	return spread(all, maxTalks)
}

// Datagrams gives the payloads of captured UDP datagrams.
func Datagrams(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	for _, c := range Conversations(tb) {
		if c.UDP {
			for _, turn := range c.Turns {
				all = append(all, turn.Data)
			}
		}
	}
	return spread(all, maxFrames)
}

// fuzzing tells a fuzz run from a plain test run.
func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}

// spread takes at most n of all, from everywhere.
func spread[T any](all []T, n int) []T {
	if !fuzzing() {
		n = min(n, sample)
	}
	if len(all) <= n {
		return all
	}
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

// files names the capture files of the fixtures and of the corpus. A plain run
// leaves out the corpus and what is large.
func files(tb testing.TB) []string {
	tb.Helper()
	var all []string
	for _, folder := range []string{"bpf", "exporter", "internal", "receiver", "test"} {
		err := filepath.WalkDir(testkit.Root(folder), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isCapture(path) {
				return err
			}
			info, err := entry.Info()
			if err == nil && (fuzzing() || info.Size() <= maxCapture) {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if len(all) == 0 {
		tb.Fatal("the repository has no capture file")
	}
	if fuzzing() {
		corpus, err := filepath.Glob(testkit.Root("..", "shared", "corpus", "dev", "*.pcap*"))
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, corpus...)
	}
	slices.Sort(all)
	return all
}

func isCapture(path string) bool {
	return strings.HasSuffix(path, ".pcap") || strings.HasSuffix(path, ".pcapng")
}
