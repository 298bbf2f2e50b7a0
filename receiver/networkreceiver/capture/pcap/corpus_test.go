// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// corpus is a collection of captures made by others, beside the repository.
const corpus = "../../../../../shared/corpus"

// corpusFiles gives the paths of the corpus's files with their number of packets.
func corpusFiles(t testing.TB) map[string]uint64 {
	t.Helper()
	manifest, err := os.Open(filepath.Join(corpus, "manifest.tsv"))
	if err != nil {
		testkit.Lacking(t, "the corpus: %v", err)
	}
	defer manifest.Close()
	r := csv.NewReader(manifest)
	r.Comma, r.LazyQuotes = '\t', true
	rows, err := r.ReadAll()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	files := map[string]uint64{}
	for _, row := range rows[1:] {
		packets, err := strconv.ParseUint(row[column["packets"]], 10, 64)
		require.NoError(t, err)
		files[filepath.Join(corpus, "dev", row[column["file"]])] = packets
	}
	load := filepath.Join(corpus, "load", "wireshark__c05-http-reply-r1.pcap.gz")
	require.FileExists(t, load)
	files[load] = 68_294 // as the corpus's README says
	return files
}

func TestCorpus(t *testing.T) {
	files := corpusFiles(t)
	require.Len(t, files, 94, "files of dev and load")
	for path, packets := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			one, stats, err := replayOne(t, path)
			require.NoError(t, err)
			assert.Equal(t, packets, stats.Packets.Load())
			assert.Equal(t, uint64(len(one.segments)), stats.Segments.Load())
			assert.Zero(t, stats.Unsupported.Load())
			assert.Zero(t, stats.Malformed.Load())
			assert.Zero(t, stats.Truncated.Load())
			t.Logf("%d packets, %d segments, %d neither, %d malformed, %d truncated, %d fragments, %d lost", packets, stats.Segments.Load(),
				stats.NotTransport.Load(), stats.Malformed.Load(), stats.Truncated.Load(), stats.Fragments.Load(), stats.LostFragment.Load())

			shards, _, errs := replay(t, pcap.Settings{Files: []string{path}, Shards: 3})
			var total int
			for i, shard := range shards {
				require.NoError(t, errs[i])
				total += len(shard.segments)
			}
			assert.Equal(t, len(one.segments), total, "each segment is in one shard")
		})
	}
}
