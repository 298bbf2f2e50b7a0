// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package grpc knows gRPC, gRPC-Web and Connect: remote procedure calls whose bodies are
// messages of protobuf (or JSON), each behind its length.
package grpc // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/grpc"

import (
	"fmt"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/protobuf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Protocol is the application.Protocol and Opener of gRPC and its relatives.
type Protocol struct {
	// Schema is what is known of the messages of all calls: from descriptor sets, and from
	// captured answers of server reflection, which are added to it. Nil: nothing.
	Schema *protobuf.Schema
}

// Settings are what only gRPC has in the configuration.
type Settings struct {
	// DescriptorSets are files with the schemas of messages, as protoc
	// --include_imports --descriptor_set_out writes them.
	DescriptorSets []string `mapstructure:"descriptor_sets"`

	_ struct{}
}

// New returns the protocol with the schemas that settings, a *Settings or nil, name.
func New(settings any) (Protocol, error) {
	p := Protocol{Schema: new(protobuf.Schema)}
	set, ok := settings.(*Settings)
	if !ok {
		return p, nil
	}
	for _, path := range set.DescriptorSets {
		if err := p.Schema.Load(path); err != nil {
			return p, fmt.Errorf("load schema: %w", err)
		}
	}
	return p, nil
}

// Info implements application.Protocol.
func (Protocol) Info() dissect.Info {
	return dissect.Info{Name: "grpc", Settings: func() any { return new(Settings) }}
}

// flavour is a way to put calls into HTTP.
type flavour uint8

const (
	none          flavour = iota
	grpc                  // gRPC over HTTP/2
	web                   // gRPC-Web: trailers are the last message
	webText               // the same in base64
	connectStream         // Connect, streaming calls: the last message tells the end
	connectUnary          // Connect, unary calls: the body is the message
)

// kind is what a media type says of a body.
type kind struct {
	flavour flavour
	json    bool // messages are JSON, else protobuf
}

// kindOf reads a media type. Connect's unary calls have one that others have as well:
// they are told by a header field, or by the error they return.
func kindOf(m *dissect.Message) kind {
	const family = "application/"
	if !strings.HasPrefix(m.Content.MediaType, family) {
		return kind{}
	}
	// Content.MediaType is that of what is shown.
	media, _ := httpmessage.ParseMediaType(field(m, "Content-Type"))
	if !strings.HasPrefix(media, family) {
		return kind{}
	}
	media = media[len(family):]
	switch {
	case media == "json" || media == "proto":
		if field(m, "Connect-Protocol-Version") != "" {
			return kind{connectUnary, media == "json"}
		}
		return kind{}
	case strings.HasPrefix(media, "grpc-web-text"):
		return kind{webText, strings.HasSuffix(media, "+json")}
	case strings.HasPrefix(media, "grpc-web"):
		return kind{web, strings.HasSuffix(media, "+json")}
	case strings.HasPrefix(media, "grpc"):
		return kind{grpc, strings.HasSuffix(media, "+json")}
	case strings.HasPrefix(media, "connect+"):
		return kind{connectStream, media == "connect+json"}
	}
	return kind{}
}

// encodingField names the field that says how messages are compressed.
func (f flavour) encodingField() string {
	if f == connectStream {
		return "Connect-Content-Encoding"
	}
	return "Grpc-Encoding"
}

// Open gives a reader for the body of a call that is made of messages.
func (p Protocol) Open(h *httpmessage.Head, sink dissect.Sink) httpmessage.Reader {
	k := kindOf(h.Message)
	peer, _ := h.Peer.(*reader)
	if peer != nil && h.Message.Content.MediaType == "" && peer.kind.flavour == grpc {
		k = peer.kind // HPACK does not know yet what the field was (RFC 7541, section 2.3)
	}
	if k.flavour == none || k.flavour == connectUnary || !sink.Keep(readerSize) {
		return nil
	}
	r := &reader{kind: k, schema: p.Schema, sink: sink, limit: h.Limits.BodyBytes, direction: h.Message.Direction, method: strings.TrimPrefix(h.Path, "/")}
	r.coding = field(h.Message, k.flavour.encodingField())
	if peer != nil {
		r.peer, peer.peer = peer, r
		r.method = peer.method
	}
	return r
}

// field is the value of a header field.
func field(m *dissect.Message, name string) string {
	for i := range m.Content.Headers {
		if h := &m.Content.Headers[i]; len(h.Name) == len(name) && strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func trailer(m *dissect.Message, name string) string {
	for i := range m.Content.Trailers {
		if h := &m.Content.Trailers[i]; len(h.Name) == len(name) && strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
