// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Reasons why a message has no other side, besides losses and the ends of sessions.
const (
	ReasonTimeout          conn.Reason = "timeout"           // no response came in the time for one
	ReasonOutstandingLimit conn.Reason = "outstanding_limit" // more waited than the limit allows
	ReasonSuperseded       conn.Reason = "superseded"        // the request's key was used again, or a later request overtook it
	ReasonUnsolicited      conn.Reason = "unsolicited"       // no request can have caused the response
)

// Exchange is one call.
type Exchange struct {
	Conn      *conn.Conn // borrowed: valid until the sink returns
	Dissector dissect.Dissector
	// ClientIsLocal tells which end of Conn sent the request.
	ClientIsLocal bool
	// Carrier is what carried the call (TLS); nil if the connection did. Borrowed.
	Carrier dissect.Carrier
	// Prefaces are what came before it on the connection. Borrowed.
	Prefaces []dissect.Preface

	Request  *dissect.Message   // nil if it was not seen
	Interim  []*dissect.Message // 1xx and their like, in order
	Response *dissect.Message   // nil if it was not seen
	// Missing says why Request or Response is nil: what was lost, how the session or the
	// wait ended, or how the other messages of the session explain it. It is empty where a
	// message stands for itself.
	Missing conn.Reason
	// Ended is when the wait for a response ended by a FIN, a reset or a time-out; 0 if
	// it did not, or that is not known.
	Ended int64
	// Uncertain is set where a loss made more than one pairing possible.
	Uncertain bool
	// First is true for the first exchange of a connection whose handshake was
	// seen: its connection set-up is part of this call.
	First bool
}

// Event is a part of a call that is told while the call runs.
type Event struct {
	Conn          *conn.Conn // borrowed: valid until the sink returns
	Dissector     dissect.Dissector
	ClientIsLocal bool
	Carrier       dissect.Carrier // as in Exchange
	// Origin is the call's request, borrowed; nil if it was not seen.
	Origin  *dissect.Message
	Message *dissect.Message // the sink owns it
}

// Sink is the next stage.
type Sink interface {
	Exchange(x *Exchange)
	// Open tells once that a call has been open for Settings.OpenAfter at time now. What
	// it is told of is what is known so far, and borrowed: the request may not be whole,
	// and the response is nil or not whole.
	Open(x *Exchange, now int64)
	// Event takes what is told of a call while it runs.
	Event(e *Event)
	// Tick lets time pass.
	Tick(now int64)
}
