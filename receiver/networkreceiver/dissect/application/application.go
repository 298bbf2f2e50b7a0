// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package application has what is spoken inside HTTP messages, whatever HTTP's
// version: it tells which protocol a call is of, and reads bodies while they come.
// The dissectors of HTTP call it; it is no dissector.
package application // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application"

import (
	"slices"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Protocol is one that HTTP carries. It is stateless and safe for concurrent use.
type Protocol interface {
	// Info has the protocol's name and Settings.
	Info() dissect.Info
	// Describe adds to what is said of a call by HTTP, s, and reports whether the call
	// is of this protocol, so that no other is asked. req or resp is nil where that
	// side is missing. It is asked of every call: one of another protocol must cost
	// next to nothing.
	Describe(side dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes, s dissect.Summary) (dissect.Summary, bool)
}

// Opener is a Protocol that reads bodies while they come.
type Opener interface {
	// Open returns a reader for the body of a message, or nil if it is not of this
	// protocol.
	Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader
}

// Options are what the protocols of one receiver are made with.
type Options struct {
	// Settings are what a protocol has of its own in the configuration, by its name: what
	// Info.Settings returned, filled.
	Settings map[string]any
	// Disabled are the names of protocols that are not looked for.
	Disabled map[string]bool
}

// Set is the protocols that one receiver looks for. It is safe for concurrent use. A nil
// Set is all of them, without settings.
type Set struct {
	protocols []Protocol
	openers   []Opener
	disabled  map[string]bool
}

var everything = Of(protocols(grpc.Protocol{})...)

// New returns the protocols that are not disabled. It fails where a file that settings
// name cannot be used.
func New(o Options) (*Set, error) {
	rpc, err := grpc.New(o.Settings[grpc.Protocol{}.Info().Name])
	if err != nil {
		return nil, err
	}
	enabled := slices.DeleteFunc(protocols(rpc), func(p Protocol) bool { return o.Disabled[p.Info().Name] })
	s := Of(enabled...)
	s.disabled = o.Disabled
	return s, nil
}

// Of returns a set of protocols, which are asked in this order.
func Of(protocols ...Protocol) *Set {
	s := &Set{protocols: protocols}
	for _, p := range protocols {
		if o, ok := p.(Opener); ok {
			s.openers = append(s.openers, o)
		}
	}
	return s
}

// Infos describe all protocols that HTTP carries.
func Infos() (infos []dissect.Info) {
	for _, p := range everything.protocols {
		infos = append(infos, p.Info())
	}
	return infos
}

func (s *Set) orEverything() *Set {
	if s == nil {
		return everything
	}
	return s
}

// Describe follows the semantic conventions for HTTP spans, and for those of the
// protocol inside.
func (s *Set) Describe(side dissect.Side, req *httpmessage.Request, resp *httpmessage.Response, out dissect.Attributes) dissect.Summary {
	summary := httpmessage.Describe(side, req, resp, out)
	method := summary.Name
	for _, p := range s.orEverything().protocols {
		var of bool
		if summary, of = p.Describe(side, req, resp, out, summary); of {
			summary.Route.Named = summary.Route.Named && summary.Name == method
			break
		}
	}
	return summary
}

// Open returns the reader for the body of a message whose header section is there. It is
// nil for nearly all.
func (s *Set) Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader {
	if h.Message.Content.MediaType == "" && h.Peer == nil {
		return nil
	}
	for _, o := range s.orEverything().openers {
		if r := o.Open(h, sink); r != nil {
			return r
		}
	}
	return nil
}
