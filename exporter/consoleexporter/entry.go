// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import "time"

// kind is what an entry is about.
type kind uint8

const (
	wholeCall     kind = iota
	openCall           // has not ended yet
	streamMessage      // of a call or connection that goes on
)

// side is the end of the call that an entry was captured at.
type side uint8

const (
	unknownSide side = iota
	clientSide
	serverSide
	bothSides // the entry is merged from those of the two ends
)

func (s side) String() string { return [...]string{"", "client", "server", "both"}[s] }

// entry is what is printed of one record, or of the two records of both ends. Its strings
// are as they were captured.
type entry struct {
	kind   kind
	side   side
	match  match
	start  time.Time
	end    time.Time // what entries are ordered by
	client end
	server end
	// process is the one that the entry was captured at, the client's if merged. peer is
	// the one at the other end, if that is on the same machine.
	process, peer process

	operation string // "POST /api/v1/checkout"
	status    string // "200 OK"; empty when it is not known
	outcome   outcome
	// latency is from the request's first byte to the response's last; of a call without a
	// response, for how long it has been open or was waited for. It is negative when it is
	// not known.
	latency time.Duration
	givenUp bool // no response came

	request  message
	response message
	stream   streamed // of a streamMessage
	facts    []fact
	notes    []string // what is not complete
}

// end is one end of a call, named as well as the record can.
type end struct {
	name      string
	namespace string // Kubernetes namespace; may be empty
}

// process is the owner of a socket.
type process struct {
	name      string
	pid       int64 // 0 when not known
	container string
}

// outcome colours a status.
type outcome uint8

const (
	unknownOutcome outcome = iota
	succeeded
	refused // the caller's mistake
	failed
)

// fact is something that a protocol has to say besides operation and status.
type fact struct {
	label, text string
	inLine      bool // worth a place in the format of one line
}

// streamed is a message that was sent while its call went on.
type streamed struct {
	fromServer bool
	title      string // "message 3", "text", "close 1000"
	body       body
}

// message is one of the two messages of a call.
type message struct {
	headers   []header
	trailers  []header
	body      body
	mediaType string
}

type header struct{ name, value string }

// body is what is shown of a body, and how large it was.
type body struct {
	text   string
	kept   int64 // bytes on the record
	seen   bool  // the record has it, possibly empty
	binary bool
	size   int64 // on the wire; -1 when not known
	cut    bool  // the record has less than there was
}
