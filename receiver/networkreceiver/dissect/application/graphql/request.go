// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package graphql

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonvalue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// operation is one operation that a request asks for.
type operation struct {
	kind      string // query, mutation or subscription
	name      string
	document  string // empty where it is known by its hash
	variables string // a JSON text
	hash      string // SHA-256 of a persisted query
}

// operationsOf gives what a request asks for: one operation, a batch of them, or
// nothing if it is not of GraphQL.
func operationsOf(r *httpmessage.Request) []operation {
	content := &r.Message.Content
	named := isNamed(r.Target.Path)
	switch {
	case r.Method == http.MethodGet:
		return fromQuery(r.Target.Query, named)
	case r.Method != http.MethodPost:
	case jsonvalue.IsMediaType(content.MediaType):
		if mentions(content.Body) {
			return fromJSON(content.Body, named)
		}
	case content.MediaType == "application/graphql":
		o := operation{document: string(content.Body)}
		o.read()
		return []operation{o}
	case content.MediaType == "multipart/form-data" && named:
		return fromForm(content.Body)
	}
	return nil
}

// isNamed reports whether a path says that GraphQL is spoken there. A request to one is
// of GraphQL also if its document cannot be read.
func isNamed(path string) bool {
	path = strings.TrimSuffix(path, "/")
	last := path[strings.LastIndexByte(path, '/')+1:]
	return last == "graphql" || last == "gql"
}

func mentions(body []byte) bool {
	return jsonvalue.Mentions(body, "query") || jsonvalue.Mentions(body, "persistedQuery")
}

// fromJSON reads a body: an object, or an array of them.
func fromJSON(body []byte, named bool) (operations []operation) {
	v := jsonvalue.Of(body)
	if !v.IsArray() {
		if o, ok := fromObject(v, named); ok {
			return []operation{o}
		}
		return nil
	}
	for e := range v.Elements() {
		o, ok := fromObject(e, named)
		if !ok || len(operations) == maxBatch {
			break
		}
		operations = append(operations, o)
	}
	return operations
}

func fromObject(v jsonvalue.Value, named bool) (o operation, ok bool) {
	for name, member := range v.Members() {
		switch string(name) {
		case "query":
			o.document = member.Text()
		case "operationName":
			o.name = clip(member.Text())
		case "variables":
			if member.IsObject() {
				o.variables = string(member)
			}
		case "extensions":
			o.hash = member.Get("persistedQuery", "sha256Hash").Text()
		}
	}
	return o, o.isOne(named)
}

// fromQuery reads the parameters of a GET request.
func fromQuery(query string, named bool) []operation {
	if !strings.Contains(query, "query=") && !strings.Contains(query, "persistedQuery") {
		return nil
	}
	params, _ := url.ParseQuery(query)
	o := operation{document: params.Get("query"), name: params.Get("operationName"), variables: params.Get("variables")}
	o.hash = jsonvalue.Of([]byte(params.Get("extensions"))).Get("persistedQuery", "sha256Hash").Text()
	if !o.isOne(named) {
		return nil
	}
	return []operation{o}
}

// fromForm reads the part of a form that has the operations. Files come after it
// (GraphQL multipart request).
func fromForm(body []byte) []operation {
	for _, part := range parts(body) {
		if o := fromJSON(part, false); len(o) > 0 {
			return o
		}
	}
	return nil
}

// isOne reports whether what was found is an operation.
func (o *operation) isOne(named bool) bool {
	if o.document == "" {
		return o.hash != ""
	}
	return o.read() || named
}
