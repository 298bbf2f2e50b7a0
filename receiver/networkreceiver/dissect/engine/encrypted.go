// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// looksEncrypted tells whether b begins with a TLS record (RFC 8446, section 5.1)
// or an SSH identification (RFC 4253, section 4.2).
func looksEncrypted(b []byte) dissect.Verdict {
	if len(b) == 0 {
		return dissect.No
	}
	ssh := []byte("SSH-")
	if n := min(len(b), len(ssh)); bytes.Equal(b[:n], ssh[:n]) {
		return enough(n == len(ssh))
	}
	const (
		changeCipherSpec = 20
		heartbeat        = 24
		major            = 3
		latestMinor      = 4
		maxRecord        = 1<<14 + 2048
	)
	switch {
	case b[0] < changeCipherSpec || b[0] > heartbeat,
		len(b) > 1 && b[1] != major,
		len(b) > 2 && b[2] > latestMinor:
		return dissect.No
	case len(b) < 5:
		return dissect.NeedMore
	}
	size := int(b[3])<<8 | int(b[4])
	if size == 0 || size > maxRecord {
		return dissect.No
	}
	return dissect.Yes
}

func enough(whole bool) dissect.Verdict {
	if whole {
		return dissect.Yes
	}
	return dissect.NeedMore
}
