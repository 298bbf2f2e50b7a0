// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "encoding/binary"

const (
	// settingMaxFrameSize is SETTINGS_MAX_FRAME_SIZE (RFC 9113, section 6.5.2).
	settingMaxFrameSize = 5
	// maxSettings is the longest SETTINGS frame that is read.
	maxSettings = 1 << 10
)

// allow takes the SETTINGS of the other end, which say how large frames may be.
func (h *half) allow(settings []byte) {
	for ; len(settings) >= 6; settings = settings[6:] {
		if size := binary.BigEndian.Uint32(settings[2:]); binary.BigEndian.Uint16(settings) == settingMaxFrameSize && size < 1<<24 {
			h.largest = max(h.largest, int(size))
		}
	}
}
