// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// FindStart looks for a chain of frames that is no coincidence. Frames on streams
// that are known count more, because a large frame may well be the only one in sight.
func (c *conversation) FindStart(_ dissect.Direction, b []byte) int {
	for i := range b {
		if b[i] == 0 && len(b)-i >= headerSize && follow(b[i:], &c.streams, usualFrame).weight >= certain {
			return i
		}
	}
	return -1
}
