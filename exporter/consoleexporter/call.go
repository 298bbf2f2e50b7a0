// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import "time"

// side is the end of the call that a record speaks for.
type side uint8

const (
	unknownSide side = iota
	clientSide
	serverSide
)

func (s side) String() string { return [...]string{"", "client", "server"}[s] }

// call is what is printed of one record. Its strings are as they were captured.
type call struct {
	time    time.Time
	side    side
	client  end
	server  end
	process process
	peer    process // of the other end, if it is on the same machine

	operation string // "POST /api/v1/checkout"
	status    string // "200 OK"; empty when it is not known
	outcome   outcome
	// latency is from the request's first byte to the response's last; negative
	// when it is not known.
	latency time.Duration

	request  message
	response message
	// notes say what is not complete.
	notes []string
}

// end is one end of a call, named as well as the record can.
type end struct {
	name      string
	namespace string // Kubernetes namespace; may be empty
}

// process is the process that the record was captured at.
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

// message is one of the two messages of a call.
type message struct {
	headers   []header
	trailers  []header
	body      body
	mediaType string
}

type header struct{ name, value string }

// body is what was kept of a body, and how large it was.
type body struct {
	text   string
	bytes  []byte
	kept   bool  // text or bytes is set, possibly empty
	binary bool  // it is in bytes
	size   int64 // on the wire; -1 when not known
	cut    bool  // less was kept than there was
}
