// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package application has what is spoken inside HTTP messages, whatever HTTP's
// version: it tells which protocol a call is of, and reads bodies while they come.
// The dissectors of HTTP call it; it is no dissector.
package application // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Protocol is one that HTTP carries. It is stateless and safe for concurrent use.
type Protocol interface {
	// Describe adds to what is said of a call by HTTP, s, and reports whether the call
	// is of this protocol, so that no other is asked. req or resp is nil where that
	// side is missing. It is asked of every call: one of another protocol must cost
	// next to nothing.
	Describe(side dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool)
}

// Opener is a Protocol that reads bodies while they come.
type Opener interface {
	// Open gives a reader for the body of a message, or nil if it is not of this
	// protocol.
	Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader
}

// Describe follows the semantic conventions for HTTP spans, and for those of the
// protocol inside.
func Describe(side dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes) dissect.Summary {
	s := httpmessage.Describe(side, req, resp, out)
	method := s.Name
	for _, p := range protocols {
		var of bool
		if s, of = p.Describe(side, req, resp, out, s); of {
			s.Route.Named = s.Route.Named && s.Name == method
			break
		}
	}
	return s
}

// Open gives the reader for the body of a message whose header section is there. It is
// nil for nearly all.
func Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader {
	if h.Message.Content.MediaType == "" && h.Peer == nil {
		return nil
	}
	for _, o := range openers {
		if r := o.Open(h, sink); r != nil {
			return r
		}
	}
	return nil
}
