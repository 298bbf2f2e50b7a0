// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

// described takes a dissector's attributes into a record, redacted by key.
type described struct {
	m        pcommon.Map
	redactor *redact.Redactor
}

var _ dissect.Attributes = (*described)(nil)

// describing is where a dissector's attributes go into m. It is used again by the
// next record.
func (b *Builder) describing(m pcommon.Map) *described {
	b.described.m = m
	return &b.described
}

// Str implements dissect.Attributes.
func (d *described) Str(key, value string) { d.m.PutStr(key, valid(d.redact(key, value))) }

// Strs implements dissect.Attributes.
func (d *described) Strs(key string, values []string) {
	list := d.m.PutEmptySlice(key)
	list.EnsureCapacity(len(values))
	for _, v := range values {
		list.AppendEmpty().SetStr(valid(d.redact(key, v)))
	}
}

// Int implements dissect.Attributes.
func (d *described) Int(key string, value int64) { d.m.PutInt(key, value) }

// Bool implements dissect.Attributes.
func (d *described) Bool(key string, value bool) { d.m.PutBool(key, value) }

func (d *described) redact(key, value string) string {
	switch key {
	case keyURLFull:
		return d.redactor.URL(value)
	case keyURLQuery:
		return d.redactor.Query(value)
	}
	for _, infix := range [...]string{".header.", ".trailer.", ".metadata."} {
		if i := strings.Index(key, infix); i > 0 {
			return d.redactor.Header(key[i+len(infix):], value)
		}
	}
	return value
}

// protocol is what is worked out once for each protocol.
type protocol struct {
	name          string
	event         string
	payload       Payload
	request       messageKeys
	response      messageKeys
	headerNames   nameCache // for the map in a log record's body
	requestNames  nameCache // for attributes
	responseNames nameCache
}

func (b *Builder) protocolOf(d dissect.Dissector) *protocol {
	name := d.Info().Name
	if p, ok := b.protocols[name]; ok {
		return p
	}
	p := &protocol{name: name, event: "wirespan." + name + ".call", payload: b.set.Payload, request: requestKeys, response: responseKeys}
	if own, ok := b.set.Protocols[name]; ok {
		p.payload = own
	}
	if name == "http" {
		p.request.body, p.request.header = keyHTTPRequestBody, keyHTTPRequestHeader
		p.response.body, p.response.header = keyHTTPResponseBody, keyHTTPResponseHeader
	}
	p.headerNames.prefix = ""
	p.requestNames.prefix = p.request.header
	p.responseNames.prefix = p.response.header
	b.protocols[name] = p
	return p
}

// nameCache turns header names into keys: lower case, with a prefix. It remembers
// a bounded number, so that usual names cost no allocation.
type nameCache struct {
	prefix string
	keys   map[string]string
}

const (
	maxCachedNames   = 1024
	maxCachedNameLen = 64
)

func (n *nameCache) key(name string) string {
	if key, ok := n.keys[name]; ok {
		return key
	}
	key := n.prefix + strings.ToLower(valid(name))
	if len(name) > maxCachedNameLen {
		return key
	}
	if n.keys == nil || len(n.keys) >= maxCachedNames {
		n.keys = make(map[string]string)
	}
	n.keys[strings.Clone(name)] = key
	return key
}
