// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package graphql describes calls of GraphQL over HTTP (GraphQL, October 2021 and later;
// GraphQL over HTTP).
package graphql // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/graphql"

import (
	"unicode/utf8"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

const (
	// maxText bounds a document, or variables, that become an attribute.
	maxText = 4 << 10
	// maxBatch bounds the operations of a batch that are read.
	maxBatch = 100
)

// Protocol is the application.Protocol of GraphQL.
type Protocol struct{}

// Info implements application.Protocol.
func (Protocol) Info() dissect.Info { return dissect.Info{Name: "graphql"} }

// Describe follows the semantic conventions for GraphQL. Whether a call is of it is
// known from its request.
func (Protocol) Describe(_ dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool) {
	if req == nil {
		return s, false
	}
	operations := operationsOf(req)
	if len(operations) == 0 {
		return s, false
	}
	s.Name = "GraphQL Operation"
	if len(operations) == 1 {
		operations[0].describe(out, &s)
	} else {
		describeBatch(operations, out, &s)
	}
	if resp != nil {
		result := resultOf(resp.Message)
		result.describe(out, &s)
	}
	return s, true
}

// describe tells of one operation.
func (o *operation) describe(out dissect.Attributes, s *dissect.Summary) {
	if o.kind != "" {
		out.Str("graphql.operation.type", o.kind)
		s.Name = o.kind
	}
	if o.name != "" {
		out.Str("graphql.operation.name", o.name)
		if o.kind != "" {
			s.Name += " " + o.name
		}
	}
	if o.document != "" {
		out.Payload("graphql.document", "application/graphql", clip(o.document))
	}
	if n := len(o.variables); n > 0 && n <= maxText {
		out.Payload("wirespan.graphql.variables", "application/json", o.variables)
	}
	if o.hash != "" {
		out.Str("wirespan.graphql.persisted_query", clip(o.hash))
	}
}

// describeBatch tells what the operations of a batch have in common.
func describeBatch(operations []operation, out dissect.Attributes, s *dissect.Summary) {
	out.Int("wirespan.graphql.batch.size", int64(len(operations)))
	kind := operations[0].kind
	var names []string
	for i := range operations {
		if operations[i].kind != kind {
			kind = ""
		}
		if name := operations[i].name; name != "" {
			names = append(names, name)
		}
	}
	if kind != "" {
		out.Str("graphql.operation.type", kind)
		s.Name = kind
	}
	if len(names) > 0 {
		out.Strs("wirespan.graphql.batch.names", names)
	}
}

// clip cuts a text between characters.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
