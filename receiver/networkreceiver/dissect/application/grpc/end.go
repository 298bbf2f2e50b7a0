// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	// maxEnd bounds what is kept of a message that tells the end.
	maxEnd = 16 << 10
	// maxTrailers bounds the fields in it.
	maxTrailers = 256
	// endStream is the name under which the end of a stream of Connect is among the
	// trailers.
	endStream = "connect-end-stream"
)

// takeEnd keeps the message that tells how the call ended, as trailers.
func (r *reader) takeEnd(m *message) {
	r.count--
	defer r.sink.Release(m.reserved)
	var content dissect.Content
	body := httpmessage.Body{Kept: m.kept}
	var codings []string
	if m.prefix.flags&flagCompressed != 0 && r.coding != "" && r.coding != "identity" {
		codings = []string{r.coding}
	}
	body.Finish(&content, codings, maxEnd, r.sink)
	defer func() { r.sink.Release(body.Reserved) }()
	if content.DecodeError || len(content.Body) > maxEnd {
		return
	}
	if r.kind.flavour == connectStream {
		r.end = []dissect.Header{{Name: endStream, Value: string(content.Body)}}
		return
	}
	r.end = parseTrailers(string(content.Body))
}

// parseTrailers reads the trailers that are the last message of gRPC-Web: fields as in
// HTTP/1.
func parseTrailers(text string) (fields []dissect.Header) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if ok && len(fields) < maxTrailers {
			fields = append(fields, dissect.Header{Name: name, Value: strings.TrimSpace(value)})
		}
	}
	return fields
}
