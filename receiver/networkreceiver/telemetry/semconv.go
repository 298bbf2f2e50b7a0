// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

// SchemaURL is that of the semantic conventions that the attributes follow.
const SchemaURL = "https://opentelemetry.io/schemas/1.41.0"

// messageKeys are the attributes that a request and a response both have.
type messageKeys struct {
	size           string
	gapBytes       string
	incomplete     string
	midway         string
	headersDropped string
	bodySize       string
	describedSize  string // by the dissector, in place of bodySize; may be empty
	bodyKept       string
	bodyTruncated  string
	bodyCoding     string
	bodyUndecoded  string
	body           string // of protocols whose conventions name no attribute for it
	header         string // prefix, likewise
	trailer        string // prefix
}

var (
	requestKeys = messageKeys{
		size:           "wirespan.request.size",
		gapBytes:       "wirespan.request.gap_bytes",
		incomplete:     "wirespan.request.incomplete",
		midway:         "wirespan.request.midway",
		headersDropped: "wirespan.request.headers_dropped",
		bodySize:       "wirespan.request.body.size",
		bodyKept:       "wirespan.request.body.kept_size",
		bodyTruncated:  "wirespan.request.body.truncated",
		bodyCoding:     "wirespan.request.body.coding",
		bodyUndecoded:  "wirespan.request.body.undecoded",
		body:           "wirespan.request.body.content",
		header:         "wirespan.request.header.",
		trailer:        "wirespan.request.trailer.",
	}
	responseKeys = messageKeys{
		size:           "wirespan.response.size",
		gapBytes:       "wirespan.response.gap_bytes",
		incomplete:     "wirespan.response.incomplete",
		midway:         "wirespan.response.midway",
		headersDropped: "wirespan.response.headers_dropped",
		bodySize:       "wirespan.response.body.size",
		bodyKept:       "wirespan.response.body.kept_size",
		bodyTruncated:  "wirespan.response.body.truncated",
		bodyCoding:     "wirespan.response.body.coding",
		bodyUndecoded:  "wirespan.response.body.undecoded",
		body:           "wirespan.response.body.content",
		header:         "wirespan.response.header.",
		trailer:        "wirespan.response.trailer.",
	}
)

// Keys of the map that is a log record's body.
const (
	bodyRequest  = "request"
	bodyResponse = "response"
	bodyHeaders  = "headers"
	bodyTrailers = "trailers"
	bodyBody     = "body"
)
