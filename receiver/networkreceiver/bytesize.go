// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// ByteSize is a number of bytes. In YAML it is a number, or a text with a unit
// ("64KiB", "1MB").
type ByteSize int64

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *ByteSize) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil {
		return fmt.Errorf("parse size %q: want a number with a unit such as 64KiB: %w", text, err)
	}
	if n > math.MaxInt64 {
		return fmt.Errorf("parse size %q: too large", text)
	}
	*s = ByteSize(n)
	return nil
}

func (s ByteSize) String() string { return humanize.IBytes(uint64(max(s, 0))) }
