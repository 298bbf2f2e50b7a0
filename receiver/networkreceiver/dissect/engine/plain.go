// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/wirespan/wirespan/receiver/networkreceiver/conn"

// Plain implements conn.Sink.
func (e *Engine) Plain(_ *conn.Conn, _ conn.Dir, _ conn.Mark, b []byte) {
	e.stats.SkippedBytes.Add(uint64(len(b)))
}
