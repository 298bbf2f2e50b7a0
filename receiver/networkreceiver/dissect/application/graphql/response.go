// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package graphql

import (
	"bytes"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/sse"
)

const (
	maxMessages = 8  // errors whose message is an attribute
	maxCode     = 64 // bytes of a code that is error.type
)

// result is what a response says of errors.
type result struct {
	errors   int
	messages []string
	code     string // of the first error that has one
}

// resultOf reads a response: one result, those of a batch, or those that come one after
// the other.
func resultOf(m *dissect.Message) (r result) {
	body := m.Content.Body
	switch mediaType := m.Content.MediaType; {
	case jsonvalue.IsMediaType(mediaType):
		r.add(jsonvalue.Of(body))
	case mediaType == "multipart/mixed":
		for _, part := range parts(body) {
			r.add(jsonvalue.Of(part))
		}
	case mediaType == sse.MediaType:
		for data := range sse.Data(body) {
			r.add(jsonvalue.Of(data))
		}
	}
	return r
}

func (r *result) add(v jsonvalue.Value) {
	for e := range v.Elements() {
		r.addErrors(e)
	}
	r.addErrors(v)
}

func (r *result) addErrors(v jsonvalue.Value) {
	for name, member := range v.Members() {
		switch string(name) {
		case "errors":
			for e := range member.Elements() {
				r.addError(e)
			}
		case "incremental": // later parts of @defer and @stream
			for e := range member.Elements() {
				r.addErrors(e)
			}
		}
	}
}

// addAll adds a list of errors, or the only one.
func (r *result) addAll(v jsonvalue.Value) {
	for e := range v.Elements() {
		r.addError(e)
	}
	r.addError(v)
}

func (r *result) addError(e jsonvalue.Value) {
	if !e.IsObject() {
		return
	}
	r.errors++
	if len(r.messages) < maxMessages {
		r.messages = append(r.messages, clip(e.Get("message").Text()))
	}
	if r.code == "" {
		if code := e.Get("extensions", "code").Text(); isCode(code) {
			r.code = code
		}
	}
}

// isCode reports whether a text can be error.type: a name, not a sentence.
func isCode(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_' && s[i] != '-' && s[i] != '.' {
			return false
		}
	}
	return s != "" && len(s) <= maxCode
}

// describe tells of errors. They are the call's, at both ends, whatever HTTP's status is.
func (r *result) describe(out dissect.Attributes, s *dissect.Summary) {
	if r.errors == 0 {
		return
	}
	out.Int("wirespan.graphql.errors", int64(r.errors))
	out.Strs("wirespan.graphql.error.messages", r.messages)
	if r.code != "" || s.ErrorType == "" {
		s.ErrorType = r.code
		if s.ErrorType == "" {
			s.ErrorType = "_OTHER" // by the conventions, where there is no code
		}
		out.Str("error.type", s.ErrorType)
	}
	s.Error, s.Status = true, r.messages[0]
}

// parts gives the bodies of the parts of a multipart body (RFC 2046, section 5.1). Its
// boundary is its first line.
func parts(body []byte) (list [][]byte) {
	start := bytes.Index(body, []byte("--"))
	if start < 0 {
		return nil
	}
	boundary, rest, ok := bytes.Cut(body[start:], []byte("\r\n"))
	if !ok || len(boundary) > 2+70 {
		return nil
	}
	for len(rest) > 0 && len(list) < maxBatch {
		part, next, _ := bytes.Cut(rest, append([]byte("\r\n"), boundary...))
		if _, content, ok := bytes.Cut(part, []byte("\r\n\r\n")); ok {
			list = append(list, content)
		}
		if _, rest, ok = bytes.Cut(next, []byte("\r\n")); !ok {
			break
		}
	}
	return list
}
