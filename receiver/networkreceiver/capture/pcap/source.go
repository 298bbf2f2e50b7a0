// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package pcap is a source of stage 1: it takes capture files and gives the
// transport segments in them, each in the shard of its connection. It bounds
// headers per frame, and fragments held by number, size and time.
//
// Files are read in the order of their first frame's time (then of their names), so that
// the pieces of a rotated capture join. Those that overlap in time are merged by the
// times of their frames, so that two files with a direction each join as well.
//
// One shard is read by its own goroutine. For more, one goroutine reads and decodes,
// and deals batches to those of the shards.
package pcap // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// Settings say what is read.
type Settings struct {
	// Files are patterns of filepath.Glob. Each must match a regular file.
	Files []string
	// Shards is the number of streams that connections are divided into; less
	// than one means one.
	Shards int
	// IgnoreVLAN leaves VLAN ids out of a segment's Scope. It is needed where
	// the two directions of a connection were captured with different tags, as
	// some mirror ports do.
	IgnoreVLAN bool
	// Sequential reads one file after another, also where they overlap in time.
	Sequential bool
	// Secrets takes the key logs (SSLKEYLOGFILE) that pcapng files have in them, before
	// the packets that follow. It may be nil, must be safe for concurrent use, and what it
	// takes is borrowed.
	Secrets func(keyLog []byte)
}

// Source reads capture files. It implements capture.Source.
type Source struct {
	settings Settings
	logger   *zap.Logger
	stats    *Stats

	files []capturedFile
	total int64        // size of all files
	done  atomic.Int64 // bytes read

	dealer *dealer // nil for one shard
}

type capturedFile struct {
	name  string
	size  int64
	first int64 // time of the first frame
}

var _ capture.Source = (*Source)(nil)

// New gives a source of the files that settings name. It counts into stats.
func New(settings Settings, logger *zap.Logger, stats *Stats) *Source {
	settings.Shards = max(settings.Shards, 1)
	s := &Source{settings: settings, logger: logger, stats: stats}
	if settings.Shards > 1 {
		s.dealer = newDealer(s)
	}
	return s
}

// Shards implements capture.Source.
func (s *Source) Shards() int { return s.settings.Shards }

// Start finds the files and their order. A pattern without a file is an error; a
// file that can't be read is one of Run, after all others.
func (s *Source) Start(context.Context) error {
	s.files, s.total = nil, 0
	for _, pattern := range s.settings.Files {
		if err := s.find(pattern); err != nil {
			s.files = nil
			return fmt.Errorf("find capture files: %w", err)
		}
	}
	if len(s.files) == 0 {
		return errors.New("find capture files: no pattern is set")
	}
	for i := range s.files {
		s.files[i].first = firstTime(s.files[i].name)
		s.total += s.files[i].size
	}
	slices.SortFunc(s.files, func(a, b capturedFile) int {
		if a.first != b.first {
			if a.first < b.first {
				return -1
			}
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	s.logger.Info("reading capture files", zap.Int("files", len(s.files)), zap.Int64("bytes", s.total), zap.Int("shards", s.Shards()))
	return nil
}

// find adds the regular files that match a pattern.
func (s *Source) find(pattern string) error {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	found := false
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		found = true
		if !slices.ContainsFunc(s.files, func(f capturedFile) bool { return f.name == name }) {
			s.files = append(s.files, capturedFile{name: name, size: info.Size()})
		}
	}
	if !found {
		return fmt.Errorf("no regular file matches %q", pattern)
	}
	return nil
}

// firstTime is the time of a file's first frame. A file without one comes last.
func firstTime(name string) int64 {
	f, err := openFile(name, new(atomic.Int64))
	if err != nil {
		return math.MaxInt64
	}
	defer f.close()
	var fr frame
	if f.next(&fr) != nil {
		return math.MaxInt64
	}
	return fr.time
}

// Run implements capture.Source. All shards have to run at the same time: one that
// does not, or that is slow, holds up the others. A file that can't be read to its
// end does not stop it: its frames up to there and all other files are delivered, and
// then the error, a FileError, is returned by the first shard.
func (s *Source) Run(ctx context.Context, shard int, h capture.Handler) error {
	if s.dealer != nil {
		return s.dealer.run(ctx, shard, h)
	}
	return s.readAll(ctx, newReader(s, h))
}

// Progress is how many bytes of the files have been read, and how many there are.
// It may be called at any time after Start.
func (s *Source) Progress() (done, total int64) { return s.done.Load(), s.total }

// Close implements capture.Source.
func (s *Source) Close() error {
	if s.dealer != nil {
		s.dealer.stop()
	}
	return nil
}
