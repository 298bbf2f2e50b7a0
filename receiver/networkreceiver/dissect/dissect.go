// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package dissect is stage 3 of 5: it takes contiguous bytes of a connection and
// gives protocol messages. It bounds the bytes buffered per direction and the
// bytes kept per message.
//
// Three roles share the work. A [Dissector] is a stateless value, one per
// protocol. A [Conversation] is one connection's state, both directions in one
// object, owned by one goroutine. The engine (package engine) owns everything
// that is the same for all protocols: choosing the dissector, buffering,
// resynchronisation after a gap, and containment of panics.
package dissect // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

import (
	"errors"
	"fmt"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// Direction is a direction of a conversation.
type Direction uint8

// Requests flow ToServer and responses ToClient.
const (
	ToServer Direction = iota
	ToClient
)

// Other is the opposite direction.
func (d Direction) Other() Direction { return d ^ 1 }

// Info describes a protocol.
type Info struct {
	Name       string            // as in network.protocol.name unless Describe gives another, and the name of the folder
	Aliases    []string          // other names that Sink.Upgrade may have for it ("h2c")
	Transport  capture.Transport // a protocol with two has a dissector of the same name for each
	Ports      []uint16          // hints for the order of probing, never the decision
	ProbeBytes int               // Probe decides with at most so many bytes of one direction
	Limits     Limits            // defaults; zero for what HTTP carries, whose limits are HTTP's
	// Request and Response are the names of the payload's attributes, where the semantic
	// conventions have names for this protocol.
	Request, Response PayloadKeys
	// Settings returns a new value of what only this protocol has in the configuration, a
	// pointer to a struct with mapstructure tags. Nil: there is nothing.
	Settings func() any
}

// PayloadKeys are names of attributes. Where one is empty, it is "wirespan.request.…"
// or "wirespan.response.…" as for all protocols.
type PayloadKeys struct {
	Body   string // of the body ("http.request.body.content")
	Header string // prefix of a header field's name ("http.request.header.")
	// Size is that of the body's size, where Describe adds it ("http.request.body.size").
	Size string
}

// Limits bound one conversation. Each has a default in the dissector's Info, can
// be set in the configuration, and is counted by name when met.
type Limits struct {
	// HeaderBytes bounds what has to be buffered to parse one unit (a header
	// block, a frame header). More is a violation.
	HeaderBytes int
	// BodyBytes is how much of each message's body is kept.
	BodyBytes int
	// Outstanding bounds the requests that wait for their response.
	Outstanding int
	// Age is how long a request waits for its response, in nanoseconds.
	Age int64
}

// Verdict is a probe's answer.
type Verdict uint8

// Verdicts of a probe.
const (
	No       Verdict = iota // this is not the protocol
	NeedMore                // cannot tell yet
	Yes                     // it is, and the first argument of Probe is what the client sent
	Reversed                // it is, and the second argument of Probe is what the client sent
)

// Dissector knows one protocol. It is stateless and safe for concurrent use.
type Dissector interface {
	Info() Info
	// Probe looks at the first bytes of both directions of a connection, or at
	// bytes in its middle; either may be empty. It neither allocates nor panics.
	Probe(client, server []byte) Verdict
	// New makes a conversation that hands its messages to sink.
	New(limits Limits, sink Sink) Conversation
	// Describe tells an exchange's content in semantic-convention terms. req or
	// resp is nil where that side is missing. It is a pure function.
	Describe(side Side, req, resp *Message, out Attributes) Summary
}

// EventDescriber is a Dissector whose conversations tell Events.
type EventDescriber interface {
	// DescribeEvent tells an event's content in semantic-convention terms, and
	// gives its name ("websocket.message"). It is a pure function.
	DescribeEvent(m *Message, out Attributes) (name string)
}

// Conversation is the state of one connection in one protocol.
type Conversation interface {
	// Data takes contiguous bytes of one direction. It returns how many it has
	// used; the engine keeps the rest and calls again when at least need bytes
	// (counted from the first unused one; 0 means any) are there. b is borrowed.
	// ErrViolation means that the bytes are not of this protocol.
	Data(d Direction, m Marks, b []byte) (used, need int, err error)
	// Gap says that n bytes are missing before the next Data. Unused bytes have
	// been dropped and are included in n. resumed reports whether the
	// conversation can continue directly (the hole lies within a body whose
	// framing is known); else the engine looks for a new start with Resyncer.
	Gap(d Direction, m conn.Mark, n uint64) (resumed bool)
	// End says that no more bytes will come in this direction, at time t.
	End(d Direction, t int64, r conn.Reason)
}

// Resyncer is a Conversation that can start again in the middle of a stream.
type Resyncer interface {
	// FindStart returns the index in b at which a message starts, or -1.
	FindStart(d Direction, b []byte) int
}

// CutProber is a Dissector that can know a connection by first bytes that a gap follows:
// a capture may have only the beginning of each segment.
type CutProber interface {
	// ProbeCut is Probe for bytes after which no more is to come.
	ProbeCut(client, server []byte) Verdict
}

// Cutter is a Conversation that can make something of the beginning of a message.
type Cutter interface {
	// Cut takes the bytes before a gap that Data has not used, or in which the engine
	// has found no start. It reports whether a message begins with them; if so, Gap
	// follows, and its n does not count them.
	Cut(d Direction, m Marks, b []byte) bool
}

// Forewarned is a Conversation that wants to know that messages of a direction may have
// been lost while the engine looked for a start: before its first bytes, or after it has
// lost the thread.
type Forewarned interface {
	Forewarn(d Direction)
}

// Skipper is a Conversation that can do without bytes whose number it knows.
type Skipper interface {
	// Spare is how many of the next bytes of a direction the conversation does not
	// need to see: the rest of a body of which no more is kept. It is asked after
	// each call, and its answer replaces the one before.
	Spare(d Direction) uint64
	// Spared says that n bytes, at most as many as Spare tells, went by unseen. They
	// are not lost: sizes count them.
	Spared(d Direction, m conn.Mark, n uint64)
}

// Carrier is a Conversation whose bytes carry another protocol: TLS. The engine looks
// for that protocol in what comes by the channel, in a session of its own.
type Carrier interface {
	// Carry gives the channel, before the first Data.
	Carry(inner Channel)
	// DescribeCarrier tells what every call that is carried has to say of the carrier
	// ("tls.protocol.version"), and the first call of a connection in addition. It is a
	// pure function of the conversation's state.
	DescribeCarrier(first bool, out Attributes)
	// ServerName is the name that the client has asked the carrier for; may be empty.
	ServerName() string
}

// Channel takes the bytes that a Carrier carries, as conn.Sink takes those of a
// connection: contiguous in each direction, borrowed. An offset counts the carried
// bytes only; Time, Seq and Ack are of the bytes on the wire that carried them.
type Channel interface {
	Data(d Direction, m conn.Mark, b []byte)
	Gap(d Direction, m conn.Mark, n uint64)
	End(d Direction, t int64, r conn.Reason)
}

// PlaintextSink is a Carrier that can be told what it carries, by who saw it outside.
type PlaintextSink interface {
	Carrier
	// Plain gives carried bytes. m.Offset counts them, and a jump of it is a loss;
	// m.Time is when they were seen. They may come before the bytes that carry them,
	// or after; read tells that a process got them, so that what carries them was there
	// before m.Time. b is borrowed.
	Plain(d Direction, m conn.Mark, read bool, b []byte)
}

// Ticker is a Conversation that waits for something that may never come.
type Ticker interface {
	// Waiting reports whether it wants to hear of the time. It is asked after each call.
	Waiting() bool
	// Tick lets time pass. It comes at least every 100 ms while Waiting says so.
	Tick(now int64)
}

// Upgrader is a Conversation that has messages left when it hands the connection
// over, because they belong to what follows: the request that is answered in another
// protocol.
type Upgrader interface {
	// TransferMessages gives away these messages. Each has what Sink.Keep has granted for
	// it in Reserved. Without a successor they are handed over as the conversation's own.
	TransferMessages(successor bool) []*Message
}

// Successor is a Conversation that goes on with such messages. It owns them.
type Successor interface {
	AcceptMessages(messages []*Message)
}

// Prefacer is a Conversation of what comes before another protocol on its connection,
// and tells something of all that follows: the PROXY protocol for whom a proxy has
// opened it, SOCKS and CONNECT where it leads.
type Prefacer interface {
	// Preface is asked after Upgrade. It is nil if there is nothing to tell.
	Preface() Preface
}

// Preface is what every call has to say of what came before it on its connection. It is
// immutable, and takes at most 4 KiB.
type Preface interface {
	// Ends are the ends of the call behind the proxies, as far as they are told.
	Ends() (client, server Endpoint)
	DescribePreface(out Attributes)
}

// Endpoint is an end of a call.
type Endpoint struct {
	Address string // IP address, name, or path of a Unix domain socket; empty if not known
	Port    uint16 // 0 if there is none
}

// ErrViolation is returned, possibly wrapped, for bytes that are not of the
// protocol. The engine withdraws an early decision, else it resynchronises.
var ErrViolation = errors.New("protocol violation")

// ErrStray is an ErrViolation for bytes between two messages that belong to none, where
// the conversation is sure of where the message before ended: no message is lost by them.
var ErrStray = fmt.Errorf("%w: stray bytes", ErrViolation)

// Sink receives what a conversation finds. The engine implements it.
type Sink interface {
	// Message takes one message; it owns m from now on.
	Message(m *Message)
	// Started says that a request or a final response has begun whose end has not come
	// yet. m stays the conversation's until it is handed over by Message. Until then
	// what identifies the call, the header section, Last, Size, Events and
	// Content.BodySize are what is known so far, and may be read between two calls of
	// the conversation. Of a response to a request that is not whole either, Origin is
	// that request until Started returns. Keep has granted what m holds.
	Started(m *Message)
	// Upgrade says that from the next unused byte on, in both directions, the
	// connection speaks another protocol. name is the protocol's name if it is
	// known ("websocket", "h2c"), "" if the engine should probe (CONNECT).
	Upgrade(name string)
	// Limit counts that a named limit was met.
	Limit(name string)
	// Keep asks for n more bytes of memory for what a message keeps. If it
	// returns false the conversation keeps nothing more of that message and sets
	// Content.Truncated to "memory". What was granted goes into
	// Message.Reserved; whoever lets go of the message gives it back.
	Keep(n int) bool
	// Release gives back what Keep has granted and no message carries.
	Release(n int)
}

// Session is one connection for as long as it speaks one protocol.
type Session struct {
	Conn      *conn.Conn
	Dissector Dissector
	Limits    Limits
	// ClientIsLocal tells which end of Conn sends the requests.
	ClientIsLocal bool
	// First is true for the first session of a connection that has messages, false
	// after an upgrade.
	First bool
	// Ends are the ends of both directions, as far as they have come.
	Ends [2]End
	// Carrier is what carries this session's bytes; nil if the connection does.
	Carrier Carrier
	// Prefaces are what came before this session, in that order.
	Prefaces []Preface
	// Pairing belongs to the next stage.
	Pairing any
}

// End is when a direction ended, and why. Why is empty as long as it has not.
type End struct {
	Time int64
	Why  conn.Reason
}

// Reasons why messages may be missing, for Output.Resync.
const (
	ReasonGap       conn.Reason = "gap"       // bytes are missing in the capture
	ReasonMidway    conn.Reason = "midway"    // the capture began later than the connection
	ReasonMemory    conn.Reason = "memory"    // there was no memory to hold bytes or a message
	ReasonViolation conn.Reason = "violation" // all bytes were seen, and some are not of the protocol
)

// ReasonUpgrade ends a session whose connection goes on with another protocol.
const ReasonUpgrade conn.Reason = "upgrade"

// ReasonIncomplete is for what is cut short inside a message that is whole, as the last
// event of a stream.
const ReasonIncomplete conn.Reason = "incomplete"

// Output is the next stage. All calls for one session come from one goroutine.
type Output interface {
	// Message takes one message; the callee owns it.
	Message(s *Session, m *Message)
	// Started lends a message that is not whole yet; see Sink.Started.
	Started(s *Session, m *Message)
	// Resync says that messages of direction d may be missing before the next
	// one, why, and when that was noticed.
	Resync(s *Session, d Direction, why conn.Reason, t int64)
	// Skipped says, after a Resync for stray bytes, that these go on up to m in
	// direction d: all of them were seen, and no message begins there.
	Skipped(s *Session, d Direction, m conn.Mark)
	// Close ends the session: nothing more comes. why is the reason for the end of the
	// connection, ReasonUpgrade or ReasonViolation.
	Close(s *Session, t int64, why conn.Reason)
	// Tick lets time pass.
	Tick(now int64)
}

// Kind is the role of a message in pairing.
type Kind uint8

// Kinds of messages.
const (
	Request  Kind = iota // waits for a response
	Response             // completes a request
	Interim              // belongs to the request that is outstanding, does not complete it
	OneWay               // stands for itself
	Event                // is told of a call while it runs, besides its request and response
)

// WaitBytes is about what a message takes while it waits for its pair, besides itself.
const WaitBytes = 256

// Message is one protocol message.
type Message struct {
	Kind Kind
	// Direction is that of the message's role: requests are ToServer.
	Direction Direction
	// Reversed is set where the message went the other way: the session's server
	// asked, or its client answered. In some protocols both ends do.
	Reversed bool
	// Key pairs a response with its request (stream id, correlation id). Without
	// Keyed, pairing is by order.
	Keyed bool
	Key   uint64

	// Origin is the request that an Event belongs to, where nothing of its call
	// waits for pairing: it is not whole yet, or its call is over (a handshake). Its
	// First, Key, Keyed and the headers that name a trace are what counts. It is
	// borrowed until Sink.Message returns. Where it is nil, the request is found by
	// Key or by order.
	//
	// Of a Request it is the request of the call within which this one is made (a
	// handshake's), likewise; it stays as it is for as long as the message is used.
	Origin *Message

	First conn.Mark // first byte
	Last  conn.Mark // last byte

	Size     uint64 // bytes on the wire, from First to Last, gaps included
	GapBytes uint64 // bytes of it that were lost
	// Incomplete says why the message ended early; empty when it is whole.
	Incomplete conn.Reason
	// Ended is when the sender or the receiver of an incomplete message gave it up: the
	// time of a FIN, a reset or a time-out. It is 0 where that is not known.
	Ended int64
	// Encrypted is set where the message came inside TLS.
	Encrypted bool
	// Midway is set where the beginning of the message was not seen.
	Midway bool
	// Flags name ambiguities and oddities ("http.conflicting_lengths"); they are
	// reported, never acted on.
	Flags []string

	// Events is how many Events were told while the message came.
	Events uint64

	// Reserved is how many bytes of the memory budget the message holds.
	Reserved int

	Content Content
	// Protocol is the dissector's own view, for its Describe.
	Protocol any
	// Pairing belongs to the next stage.
	Pairing any
}

// Header is one field in the order and spelling of the wire.
type Header struct {
	Name, Value string
}

// Content is what a message carried, in terms that all protocols share.
type Content struct {
	Headers  []Header
	Trailers []Header
	// Body is the kept part, content coding removed.
	Body []byte
	// MediaType is the body's media type without parameters, lower case.
	MediaType string
	// Charset is the charset parameter of the media type, lower case.
	Charset string
	// BodySize is the body's transferred size, content coding included and
	// transfer coding excluded, also of what was not kept.
	BodySize uint64
	// SizeUnknown is set where the header section was not seen whole, so that it is not
	// known how large the body was. BodySize is what was seen of it.
	SizeUnknown bool
	// KeptSize is how many of those transferred bytes Body was made from.
	KeptSize uint64
	// Truncated is set where Body is not the whole body, with the reason
	// ("limit", "gap", "incomplete", "media_type", "decode_limit", "memory").
	Truncated string
	// Coding is the content coding that was removed, or, with DecodeError, that
	// could not be removed ("gzip").
	Coding      string
	DecodeError bool
}

// Side is the end of the call that a record speaks for.
type Side uint8

// Sides of a call.
const (
	ClientSide Side = iota
	ServerSide
)

// Summary is the protocol-neutral outcome of an exchange.
type Summary struct {
	Name string // span name by the conventions
	// Error is the span's status by the conventions; ErrorType is error.type.
	Error     bool
	ErrorType string
	// Status tells people of an error what its type does not: the span's status
	// description. It may be empty, and is not used without an error.
	Status string
	Route  Route
}

// Route says by what the route of a call over HTTP is found. It is empty where there is
// none, or where Summary.Name says as much.
type Route struct {
	// Path is that of the request's URL.
	Path string
	// Served reports that the server has answered, and not that it has nothing at Path.
	Served bool
	// Named reports that Summary.Name is the request's method, behind which a route
	// belongs by the conventions.
	Named bool
}

// Attributes takes attributes by the semantic conventions. Implementations apply
// redaction by key, so values are handed over as they were on the wire.
type Attributes interface {
	Str(key, value string)
	Strs(key string, values []string)
	Int(key string, value int64)
	Float(key string, value float64)
	Bool(key string, value bool)
	// Payload takes a part of a payload, of a media type: it is exported and redacted as
	// bodies are.
	Payload(key, mediaType, value string)
}
