// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package jsonrpc

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
)

const (
	// maxBatch bounds the calls of a batch that are read, and maxMethods those that are
	// attributes.
	maxBatch   = 1000
	maxMethods = 32
	// maxText bounds a text that becomes an attribute.
	maxText = 1 << 10
)

// kind is what a message is (JSON-RPC 2.0, sections 4 to 6).
type kind uint8

const (
	nothing kind = iota // of this protocol
	request
	notification
	response
	batch
)

// message is a request, a response, or what a batch of them has in common.
type message struct {
	kind    kind
	version string
	method  string // of a batch: the one of all its calls, if they have the same
	id      string // empty if there is none
	params  jsonvalue.Value
	result  jsonvalue.Value
	failed  int    // errors
	code    string // of the first error
	text    string // and its message

	size    int // of a batch
	methods []string
}

// parse reads a body.
func parse(body []byte) (m message) {
	if len(body) == 0 {
		return m
	}
	v := jsonvalue.Of(body)
	if v.IsArray() {
		return parseBatch(v)
	}
	return parseOne(v)
}

func parseOne(v jsonvalue.Value) (m message) {
	var id, failure jsonvalue.Value
	hasResult := false
	for name, member := range v.Members() {
		switch string(name) {
		case "jsonrpc":
			m.version = clip(member.Text())
		case "method":
			m.method = clip(member.Text())
		case "id":
			id = member
		case "params":
			m.params = member
		case "result":
			m.result, hasResult = member, true
		case "error":
			failure = member
		}
	}
	m.id = idOf(id)
	switch {
	case m.version == "":
		return message{}
	case m.method != "" && len(id) == 0 && v.Whole():
		m.kind = notification
	case m.method != "":
		m.kind = request
	case hasResult:
		m.kind = response
	case failure.IsObject():
		m.kind, m.failed = response, 1
		m.code, m.text = idOf(failure.Get("code")), clip(failure.Get("message").Text())
	default:
		return message{}
	}
	return m
}

// parseBatch reads what the messages of a batch have in common.
func parseBatch(v jsonvalue.Value) (m message) {
	same := true
	for e := range v.Elements() {
		one := parseOne(e)
		if one.kind == nothing || m.size == maxBatch {
			break
		}
		same = same && (m.size == 0 || one.method == m.method)
		m.size++
		m.version, m.method = one.version, one.method
		if len(m.methods) < maxMethods && one.method != "" && !slices.Contains(m.methods, one.method) {
			m.methods = append(m.methods, one.method)
		}
		if one.failed > 0 {
			if m.failed++; m.failed == 1 {
				m.code, m.text = one.code, one.text
			}
		}
	}
	if m.size == 0 {
		return message{}
	}
	if !same {
		m.method = ""
	}
	m.kind = batch
	return m
}

// idOf is a string or a number as text, and empty for null.
func idOf(v jsonvalue.Value) string {
	switch {
	case v.IsNull():
		return ""
	case v.IsString():
		return clip(v.Text())
	}
	return clip(string(v))
}

func clip(s string) string { return dissect.Clip(s, maxText) }
