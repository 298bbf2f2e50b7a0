// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// AcceptMessages takes the handshake, of which nothing is handed over again.
func (c *conversation) AcceptMessages(handshake []*dissect.Message) {
	for _, m := range handshake {
		for _, r := range c.readers {
			if m.Kind == dissect.Request {
				r.Origin = m
				continue
			}
			r.Answer(m)
		}
	}
}

// Data takes the next bytes of one direction.
func (c *conversation) Data(d dissect.Direction, m dissect.Marks, b []byte) (used, need int, err error) {
	return c.readers[d].Data(m, b)
}

// Gap says that n bytes are missing.
func (c *conversation) Gap(d dissect.Direction, m conn.Mark, n uint64) (resumed bool) {
	return c.readers[d].Gap(m, n)
}

// End says that no more bytes will come in this direction.
func (c *conversation) End(d dissect.Direction, _ int64, r conn.Reason) {
	c.readers[d].End(cmp.Or(r, conn.ReasonShutdown))
}

// FindStart finds a frame after which another one begins, or the bytes end.
func (c *conversation) FindStart(d dissect.Direction, b []byte) int {
	for i := range b {
		if chain(c.readers[d].masked, b[i:]) >= 1 {
			return i
		}
	}
	return -1
}
