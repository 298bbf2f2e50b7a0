// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/engine"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// RunCapture reads a capture file through the pcap source, the connection table,
// an engine with these dissectors, and a pairer.
func RunCapture(tb testing.TB, file string, dissectors ...dissect.Dissector) *Result {
	tb.Helper()
	h := newHarness(memory, engine.Settings{}, dissectors)
	table := conn.NewTable(conn.Settings{}, h.memory, h.engine, &conn.Stats{})
	source := pcap.New(pcap.Settings{Files: []string{file}}, zap.NewNop(), &pcap.Stats{})
	require.NoError(tb, source.Start(tb.Context()))
	require.NoError(tb, source.Run(tb.Context(), 0, table))
	require.NoError(tb, source.Close())
	var now int64
	for _, x := range h.result.Exchanges {
		for _, m := range messages(x) {
			now = max(now, m.Last.Time)
		}
	}
	table.Shutdown(now)
	return h.finish()
}

// begin is the time of the first byte.
func begin(exchanges []*pair.Exchange) (t int64) {
	for _, x := range exchanges {
		for _, m := range messages(x) {
			if t == 0 || m.First.Time < t {
				t = m.First.Time
			}
		}
	}
	return t
}
