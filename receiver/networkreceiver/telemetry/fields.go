// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/telemetry/redact"
)

// maxFields bounds the header fields, and the trailer fields, of one message that
// become part of a record.
const maxFields = 256

// field is a header or trailer field on its way to records: redacted once for all
// of them.
type field struct {
	*fieldName
	value string
}

// fieldName is what is known about all fields of one name.
type fieldName struct {
	lower     string // in a log record's body
	attribute string // on a span
	redact.Field
}

// fieldsOf redacts a section's fields. The result is valid until the next call.
func (b *Builder) fieldsOf(section []dissect.Header, names *nameCache) []field {
	if n := len(section) - maxFields; n > 0 {
		b.stats.HeadersDropped.Add(uint64(n))
		section = section[:maxFields]
	}
	start := len(b.fields)
	for i := range section {
		name := names.of(section[i].Name, b.redactor)
		b.fields = append(b.fields, field{name, valid(b.redactor.Value(name.Field, section[i].Value))})
	}
	return b.fields[start:]
}

// addToSpan adds fields as attributes, each a list of the values of its name.
func addToSpan(m pcommon.Map, fields []field) {
	for i := range fields {
		addField(m, fields[i].attribute, fields[i].value)
	}
}

// addToMap adds fields to a map of their own.
func addToMap(m pcommon.Map, fields []field) {
	m.EnsureCapacity(len(fields))
	for i := range fields {
		addField(m, fields[i].lower, fields[i].value)
	}
}

func addField(m pcommon.Map, key, value string) {
	v, there := m.GetOrPutEmpty(key)
	var list pcommon.Slice
	switch {
	case !there:
		list = v.SetEmptySlice()
		list.EnsureCapacity(1)
	case v.Type() == pcommon.ValueTypeSlice:
		list = v.Slice()
	default:
		return // a field that the dissector has described itself
	}
	list.AppendEmpty().SetStr(value)
}

// sizeOf is about what fields take in a record as OTLP, where the prefix of their
// keys has so many bytes.
func sizeOf(fields []field, prefix int) (n int) {
	for i := range fields {
		n += attributeSize + 8 + prefix + len(fields[i].lower) + len(fields[i].value)
	}
	return n
}

// nameCache turns field names into keys: lower case, and with a prefix. It remembers
// a bounded number, so that usual names cost no allocation.
type nameCache struct {
	prefix string
	names  map[string]*fieldName
}

const (
	maxCachedNames   = 1024
	maxCachedNameLen = 64
)

func (n *nameCache) of(name string, r *redact.Redactor) *fieldName {
	if known, ok := n.names[name]; ok {
		return known
	}
	lower := strings.ToLower(valid(name))
	made := &fieldName{lower: lower, attribute: n.prefix + lower, Field: r.Field(name)}
	if len(name) > maxCachedNameLen {
		return made
	}
	if n.names == nil || len(n.names) >= maxCachedNames {
		n.names = make(map[string]*fieldName)
	}
	n.names[strings.Clone(name)] = made
	return made
}
