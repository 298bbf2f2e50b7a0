// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"crypto/aes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/align"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// carried hands on plaintext, decrypted or aligned, with its offset among all of its
// direction.
type carried struct {
	channel dissect.Channel
	bytes   [2]uint64
}

var _ align.Output = (*carried)(nil)

// Data implements align.Output.
func (c *carried) Data(d dissect.Direction, m conn.Mark, b []byte) {
	m.Offset = c.bytes[d]
	c.bytes[d] += uint64(len(b))
	c.channel.Data(d, m, b)
}

// Gap implements align.Output.
func (c *carried) Gap(d dissect.Direction, m conn.Mark, n uint64) {
	m.Offset = c.bytes[d]
	c.bytes[d] += n
	c.channel.Gap(d, m, n)
}

// Begun implements align.Output.
func (c *carried) Begun(d dissect.Direction) bool { return c.bytes[d] > 0 }

// cipher returns what is known of how records are encrypted.
func (c *conversation) cipher() align.Cipher {
	const tag = 16 // of nearly all suites
	to := align.Cipher{Known: c.version != 0, TLS13: c.version == record.TLS13, Overhead: tag}
	if !c.opens {
		return to
	}
	if n, fixed := c.suite.Overhead(c.version); fixed {
		to.Overhead = n
		return to
	}
	to.Pads, to.Overhead = true, c.suite.MACBytes()
	if c.version >= record.TLS11 {
		to.Overhead += aes.BlockSize // the initialization vector
	}
	return to
}
