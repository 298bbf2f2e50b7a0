// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package httpmessage has what the dissectors of all versions of HTTP share: the
// semantics of RFC 9110 above the framing. It keeps bodies and removes their content
// codings, takes request targets apart, and describes calls by the semantic
// conventions. It is no dissector.
package httpmessage // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// Request is a request as any version of HTTP has it.
type Request struct {
	Method  string // empty if it is not known
	Target  Target
	Raw     string // the target for people, where it has no path
	Version string // network.protocol.version
	Message *dissect.Message
}

// Response is a response as any version of HTTP has it.
type Response struct {
	Status  int // 0 if it is not known
	Reason  string
	Version string
	Message *dissect.Message
}

// Requester is Message.Protocol of a request of any version of HTTP. A request that
// was sent in one version may be answered in another.
type Requester interface {
	HTTPRequest(m *dissect.Message) Request
}
