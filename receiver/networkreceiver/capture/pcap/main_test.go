// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder keeps what one shard delivers.
type recorder struct {
	segments []capture.Segment
	ticks    []int64
	lost     [capture.LossReasons]uint64
}

func (r *recorder) Segment(seg *capture.Segment) {
	kept := *seg
	kept.Payload = bytes.Clone(seg.Payload)
	r.segments = append(r.segments, kept)
}

func (r *recorder) Owner(uint64, *capture.Process)           { panic("a capture file knows no process") }
func (r *recorder) Lost(n uint64, reason capture.LossReason) { r.lost[reason] += n }
func (r *recorder) Tick(now int64)                           { r.ticks = append(r.ticks, now) }

// replay reads files and gives what each shard delivered, and all errors.
func replay(t testing.TB, settings pcap.Settings) (shards []*recorder, stats *pcap.Stats, errs []error) {
	t.Helper()
	stats = new(pcap.Stats)
	source := pcap.New(settings, zap.NewNop(), stats)
	require.NoError(t, source.Start(t.Context()))
	errs = make([]error, source.Shards())
	var wg sync.WaitGroup
	for shard := range source.Shards() {
		r := new(recorder)
		shards = append(shards, r)
		wg.Go(func() { errs[shard] = source.Run(context.WithoutCancel(t.Context()), shard, r) })
	}
	wg.Wait()
	require.NoError(t, source.Close())
	require.NoError(t, source.Close())
	return shards, stats, errs
}

// replayOne reads one file in one shard.
func replayOne(t testing.TB, file string) (*recorder, *pcap.Stats, error) {
	t.Helper()
	shards, stats, errs := replay(t, pcap.Settings{Files: []string{file}})
	return shards[0], stats, errs[0]
}

func writeFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}
