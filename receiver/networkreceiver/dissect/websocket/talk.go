// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/dialogue"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/graphql"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/application/jsonrpc"
)

const (
	// maxTries is how many messages of JSON are looked at before it is decided that what
	// is spoken is not known.
	maxTries = 32
	// callSize is about what an open call takes besides the text of its request.
	callSize = 3 << 10
)

// talk is what both ends of a connection speak in its messages: a protocol with calls of
// its own, or nothing that is known.
type talk struct {
	sink     dissect.Sink
	most     int             // open calls
	disabled map[string]bool // names of protocols that are not looked for
	ended    int             // directions

	candidates []dialogue.Protocol // the only one, once it has shown itself
	tries      int
	calls      map[callKey]openCall
}

// callKey tells the calls of a connection apart.
type callKey struct {
	asker dissect.Direction
	id    string
}

type openCall struct {
	dialogue.Call
	held int // granted by Sink.Keep
}

func newTalk(most int, sink dissect.Sink, disabled map[string]bool) *talk {
	t := &talk{sink: sink, most: most, disabled: disabled}
	t.consider(jsonRPC, jsonrpc.Messages{})
	t.consider(graphQL, graphql.Messages{})
	return t
}

// Names of the protocols.
var (
	jsonRPC = jsonrpc.Protocol{}.Info().Name
	graphQL = graphql.Protocol{}.Info().Name
)

// consider adds a protocol to those that the messages may be of.
func (t *talk) consider(name string, p dialogue.Protocol) {
	if !t.disabled[name] {
		t.candidates = append(t.candidates, p)
	}
}

// agree takes the subprotocol that the ends have agreed on.
func (t *talk) agree(subprotocol string) {
	switch {
	case graphql.IsSubprotocol(subprotocol):
		t.candidates = nil
		t.consider(graphQL, graphql.Messages{Named: true})
	case subprotocol != "":
		t.candidates = nil
		t.consider(jsonRPC, jsonrpc.MessagesOf(subprotocol))
	}
}

// take finds out what a message is to a call. One that begins a call becomes a request,
// and one that ends it the response; all others stay events.
func (t *talk) take(r *Reader, e *event) {
	if len(t.candidates) == 0 || e.Content.MediaType != "application/json" {
		return
	}
	turn, ok := t.read(r.direction, e.Content.Body)
	if !ok {
		return
	}
	e.info.said = turn.Said
	key := callKey{turn.Asker, turn.ID}
	switch turn.Role {
	case dialogue.Begin:
		call, is := turn.Said.(dialogue.Call)
		if !is || !t.open(key, call, len(e.Content.Body)) {
			return
		}
		e.Kind = dissect.Request
	case dialogue.End:
		t.close(key)
		e.Kind, e.Origin = dissect.Response, nil
	case dialogue.Part:
	default:
		return
	}
	e.Keyed, e.Key = true, key.number(r.Key)
	if e.Kind != dissect.Event {
		role := [...]dissect.Direction{dissect.Request: dissect.ToServer, dissect.Response: dissect.ToClient}[e.Kind]
		e.Direction, e.Reversed = role, role != r.direction
	}
}

// read asks the protocols that it may be.
func (t *talk) read(d dissect.Direction, body []byte) (turn dialogue.Turn, ok bool) {
	for _, p := range t.candidates {
		if turn, ok = p.Read(d, body, t.call); !ok {
			continue
		}
		if len(t.candidates) > 1 {
			t.candidates = []dialogue.Protocol{p}
		}
		t.tries = 0
		return turn, true
	}
	if t.tries++; t.tries == maxTries && len(t.calls) == 0 {
		t.candidates = nil
	}
	return turn, false
}

func (t *talk) call(asker dissect.Direction, id string) dialogue.Call {
	return t.calls[callKey{asker, id}].Call
}

// open begins a call. It reports whether there is room for it.
func (t *talk) open(key callKey, call dialogue.Call, text int) bool {
	t.close(key)
	if len(t.calls) >= t.most {
		t.sink.Limit("operations")
		return false
	}
	held := callSize + text + len(key.id)
	if !t.sink.Keep(held) {
		t.sink.Limit("operation_memory")
		return false
	}
	if t.calls == nil {
		t.calls = map[callKey]openCall{}
	}
	t.calls[key] = openCall{call, held}
	return true
}

func (t *talk) close(key callKey) {
	if c, ok := t.calls[key]; ok {
		t.sink.Release(c.held)
		delete(t.calls, key)
	}
}

// end is for a direction that has ended. After the second one no call goes on.
func (t *talk) end() {
	if t.ended++; t.ended < 2 {
		return
	}
	for key := range t.calls {
		t.close(key)
	}
}

// number is the key of a call for pairing: FNV-1a of the stream, who asks, and the id. It
// is never that of a stream.
func (k callKey) number(stream uint64) uint64 {
	var prefix [9]byte
	binary.BigEndian.PutUint64(prefix[:], stream)
	prefix[8] = byte(k.asker)
	h := fnv.New64a()
	_, _ = h.Write(prefix[:])
	_, _ = h.Write([]byte(k.id))
	return h.Sum64() | 1<<63
}
