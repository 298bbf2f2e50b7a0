// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissect

// Resolver is a Dissector whose exchanges find the addresses of names.
type Resolver interface {
	// Resolve tells what an exchange has looked up, if it has. req or resp is nil
	// where that side is missing. It is a pure function.
	Resolve(req, resp *Message) (r Resolution, ok bool)
}

// Resolution is a question for the addresses of a name, and its answer.
type Resolution struct {
	Name string // without the dot at the end
	Kind uint16 // what was asked for: the type of the record
	// Addresses are those of the answer, also where other names lead there.
	Addresses []string
	// Answered is false where the client has to ask on: after a failure, a
	// truncated response, or none.
	Answered bool
}
