// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package graphql

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

const (
	// maxDocument bounds what is parsed of a document, and maxTokens how deep it can be.
	maxDocument = 64 << 10
	maxTokens   = 8 << 10
)

// read finds out the type and the name of the operation in the document. It reports
// whether the document is one of GraphQL.
func (o *operation) read() bool {
	if !plausible(o.document) {
		return false
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: o.document[:min(len(o.document), maxDocument)]}, maxTokens)
	if document == nil {
		return false
	}
	for _, d := range document.Operations {
		if d != nil && (o.name == "" && len(document.Operations) == 1 || o.name != "" && o.name == d.Name) {
			o.kind, o.name = string(d.Operation), clip(d.Name)
			break
		}
	}
	return err == nil && len(document.Operations) > 0 || len(o.document) > maxDocument && o.kind != ""
}

// plausible looks at the first word of a document, so that not every text is parsed
// that somebody calls a query.
func plausible(document string) bool {
	document = strings.TrimLeft(document, " \t\r\n,\ufeff")
	if document == "" {
		return false
	}
	switch document[0] {
	case '{', '#', '"':
		return true
	}
	for _, word := range [...]string{"query", "mutation", "subscription", "fragment"} {
		if strings.HasPrefix(document, word) {
			return true
		}
	}
	return false
}
