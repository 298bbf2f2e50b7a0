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
	name      string // as it was spelled
	lower     string // in a log record's body
	attribute string // on a span
	redact.Field

	// clean is a value that needed no redaction, and misses how often the value was
	// another one.
	clean  string
	misses uint32
}

// maxCleanValue is the longest value that is remembered.
const maxCleanValue = 256

// fieldsOf redacts a section's fields. The result is valid until the next call.
func (b *Builder) fieldsOf(section []dissect.Header, names *nameCache) []field {
	if n := len(section) - maxFields; n > 0 {
		b.stats.HeadersDropped.Add(uint64(n))
		section = section[:maxFields]
	}
	start := len(b.fields)
	for i := range section {
		name := names.at(i, section[i].Name, b.redactor)
		b.fields = append(b.fields, field{name, name.redacted(section[i].Value, b.redactor)})
	}
	return b.fields[start:]
}

// redacted is a value as records may have it. Many fields have the same value in
// all messages.
func (f *fieldName) redacted(value string, r *redact.Redactor) string {
	if value == f.clean {
		return f.clean
	}
	before := r.Applied()
	out := valid(r.Value(f.Field, value))
	if len(value) > maxCleanValue || r.Applied() != before || len(out) != len(value) {
		return out
	}
	// A value that is another one each time is remembered ever less often.
	if f.misses++; f.misses&(f.misses-1) == 0 {
		f.clean = strings.Clone(value)
	}
	return out
}

// addFields adds fields as attributes of a span.
func (a *attributes) addFields(fields []field) {
	for i := range fields {
		a.add(attribute{key: fields[i].attribute, kind: ofField, str: fields[i].value})
	}
}

// putFields puts fields into a map of their own.
func (b *Builder) putFields(m pcommon.Map, fields []field) {
	list := b.section[:0]
	for i := range fields {
		list = append(list, attribute{key: fields[i].lower, kind: ofField, str: fields[i].value})
	}
	b.shapes.put(m, list)
	clear(list)
	b.section = list
}

// sizeOf is about what fields take as OTLP in a map of their own.
func sizeOf(fields []field) (n int) {
	for i := range fields {
		n += attributeSize + 8 + len(fields[i].lower) + len(fields[i].value)
	}
	return n
}

// nameCache turns field names into keys: lower case, and with a prefix. It remembers
// a bounded number, so that usual names cost no allocation.
type nameCache struct {
	prefix string
	names  map[string]*fieldName
	// order has the names of recent messages by their place: most messages have the
	// same fields in the same order.
	order [maxOrder]*fieldName
}

const (
	maxCachedNames   = 1024
	maxCachedNameLen = 64
	maxOrder         = 32
)

// at is the name of a section's field at index i.
func (n *nameCache) at(i int, name string, r *redact.Redactor) *fieldName {
	if i >= maxOrder {
		return n.of(name, r)
	}
	if last := n.order[i]; last != nil && last.name == name {
		return last
	}
	found := n.of(name, r)
	if len(name) <= maxCachedNameLen {
		n.order[i] = found
	}
	return found
}

func (n *nameCache) of(name string, r *redact.Redactor) *fieldName {
	if known, ok := n.names[name]; ok {
		return known
	}
	if len(name) > maxCachedNameLen {
		return n.make(name, r)
	}
	if n.names == nil || len(n.names) >= maxCachedNames {
		n.names = make(map[string]*fieldName)
	}
	made := n.make(strings.Clone(name), r) // and not a part of a message
	n.names[made.name] = made
	return made
}

func (n *nameCache) make(name string, r *redact.Redactor) *fieldName {
	lower := strings.ToLower(valid(name))
	return &fieldName{name: name, lower: lower, attribute: n.prefix + lower, Field: r.Field(name)}
}
