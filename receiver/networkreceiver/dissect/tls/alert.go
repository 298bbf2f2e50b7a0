// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// alert takes RFC 8446, section 6. d is the direction that it came in.
func (c *conversation) alert(d dissect.Direction, b []byte, at conn.Mark) {
	const closeNotify, noRenegotiation, unrecognizedName, userCanceled = 0, 100, 112, 90
	if len(b) != 2 {
		return
	}
	by := "client"
	if d == toClient {
		by = "server"
	}
	h := &c.handshake
	warning := b[0] == 1 && (b[1] == noRenegotiation || b[1] == unrecognizedName || b[1] == userCanceled || c.version == record.SSL30)
	switch {
	case b[1] == closeNotify || warning:
	case h.phase == asking || h.phase == answering:
		h.bytes(d, at, at)
		h.outcome.Alert, h.outcome.AlertBy = handshake.AlertName(b[1]), by
		c.fail(h.outcome.Alert, at)
	default:
		c.sink.Message(&dissect.Message{
			Kind: dissect.OneWay, Direction: d, First: at, Last: at, Size: 1, Protocol: &handshake.Alert{Description: handshake.AlertName(b[1]), By: by},
		})
	}
}
