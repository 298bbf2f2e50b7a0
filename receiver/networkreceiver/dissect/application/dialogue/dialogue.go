// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package dialogue has what the protocols have in common that are spoken in messages
// which both ends may send at any time (WebSocket): calls whose request, results and end
// are messages of their own, told apart by an id.
package dialogue // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// Role is what a message is to a call.
type Role uint8

// Roles of a message.
const (
	Aside Role = iota // it belongs to no call
	Begin             // it asks
	Part              // it tells something of a call, which goes on
	End               // it ends a call
)

// Turn is what a message says.
type Turn struct {
	Role Role
	// Asker is the direction of the message that begins the call.
	Asker dissect.Direction
	// ID tells the calls of an asker apart.
	ID string
	// Said describes the message; of one that begins a call it is the Call. It is nil if
	// there is nothing to say.
	Said Said
}

// Said is what a message says, for its record.
type Said interface {
	DescribeMessage(out dissect.Attributes)
}

// Call is what is known of a call: it changes as long as messages of it come.
type Call interface {
	Said
	// DescribeCall describes the call by the semantic conventions of its protocol.
	DescribeCall(out dissect.Attributes) dissect.Summary
}

// Protocol is one that is spoken so.
type Protocol interface {
	// Read reads a message, of which the beginning is there at least. open gives a call
	// that is open, or nil. It is not ok if the message is not of the protocol. body
	// must stay as it is for as long as what is said is described.
	Read(d dissect.Direction, body []byte, open func(asker dissect.Direction, id string) Call) (t Turn, ok bool)
}
