// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import "math/bits"

// flagSet is a set of oddities of one message. They are reported in Message.Flags.
type flagSet uint32

const (
	flagBareLF flagSet = 1 << iota
	flagBareCR
	flagNUL
	flagObsFold
	flagLeadingWhitespace
	flagWhitespaceBeforeColon
	flagInvalidHeaderName
	flagMalformedHeader
	flagHeaderCount
	flagStartLineWhitespace
	flagMalformedRequestLine
	flagMissingHost
	flagDuplicateHost
	flagHostMismatch
	flagDuplicateContentLength
	flagConflictingContentLength
	flagInvalidContentLength
	flagLengthAndTransferEncoding
	flagTransferEncodingIn10
	flagUnknownTransferCoding
	flagNotChunkedLast
	flagRepeatedChunked
	flagBodyForbidden
	flagChunkSizeWhitespace
	flagInvalidChunkSize
	flagInvalidChunkEnd
	flagBodyOmitted
	flagHeadAssumed
	flagCodingError
	flagStrayBytes
	flagRelativeTarget
	flagCutTarget
)

// flagNames are in the order of the constants. README.md explains them.
var flagNames = [...]string{
	"http.bare_lf",
	"http.bare_cr",
	"http.nul",
	"http.obs_fold",
	"http.leading_whitespace",
	"http.whitespace_before_colon",
	"http.invalid_header_name",
	"http.malformed_header",
	"http.header_count",
	"http.start_line_whitespace",
	"http.malformed_request_line",
	"http.missing_host",
	"http.duplicate_host",
	"http.host_mismatch",
	"http.duplicate_content_length",
	"http.conflicting_content_length",
	"http.invalid_content_length",
	"http.content_length_and_transfer_encoding",
	"http.transfer_encoding_in_http_1_0",
	"http.unknown_transfer_coding",
	"http.chunked_not_last",
	"http.repeated_chunked",
	"http.body_forbidden",
	"http.chunk_size_whitespace",
	"http.invalid_chunk_size",
	"http.invalid_chunk_end",
	"http.body_omitted",
	"http.head_assumed",
	"http.content_coding_error",
	"http.stray_bytes",
	"http.relative_target",
	"http.cut_target",
}

// names lists the set, or is nil if it is empty.
func (f flagSet) names() []string {
	if f == 0 {
		return nil
	}
	names := make([]string, 0, bits.OnesCount32(uint32(f)))
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
