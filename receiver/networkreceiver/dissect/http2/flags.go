// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import "math/bits"

// flagSet is a set of oddities of one message. They are reported in Message.Flags.
type flagSet uint16

const (
	flagUnknownFields flagSet = 1 << iota
	flagBlockCut
	flagFieldsCut
	flagDamagedBlock
	flagMalformed
	flagLengthMismatch
	flagCodingError
	flagGoAway
)

// flagNames are in the order of the constants. README.md explains them.
var flagNames = [...]string{
	"http2.unknown_fields",
	"http2.header_block_cut",
	"http2.header_list_cut",
	"http2.header_block_damaged",
	"http2.malformed_header",
	"http2.content_length_mismatch",
	"http2.content_coding_error",
	"http2.goaway",
}

// names lists the set, or is nil if it is empty.
func (f flagSet) names() []string {
	if f == 0 {
		return nil
	}
	names := make([]string, 0, bits.OnesCount16(uint16(f)))
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
