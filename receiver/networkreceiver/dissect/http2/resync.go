// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// FindStart looks for a chain of frames that is no coincidence. Frames on streams
// that are known count more, because a large frame may well be the only one in sight.
func (c *conversation) FindStart(d dissect.Direction, b []byte) int {
	largest := c.halves[d].mostPayload()
	for i := range b {
		if int(b[i])<<16 <= largest && len(b)-i >= headerSize && follow(b[i:], &c.streams, largest).weight >= certain {
			return i
		}
	}
	return -1
}
