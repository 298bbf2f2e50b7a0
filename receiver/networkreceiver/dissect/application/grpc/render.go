// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"encoding/base64"
	"encoding/json"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

var _ httpmessage.Renderer = (*reader)(nil)

// Render replaces the kept body by what its messages say: the only one as it is, more
// than one as an array.
func (r *reader) Render(c *dissect.Content, reserved int) (now int) {
	c.Trailers = append(c.Trailers, r.end...)
	body := c.Body
	if r.kind.flavour == webText {
		body = plainText(body)
	}
	var list []shown
	held := 0
	messages(r.kind.flavour, body, func(p prefix, payload []byte, whole bool) bool {
		if p.isEnd(r.kind.flavour) {
			return true
		}
		s := r.kind.show(&shownMessage{
			schema: r.schema, method: r.method, response: r.direction == dissect.ToClient, compressed: p.flags&flagCompressed != 0, coding: r.coding,
			payload: payload, whole: whole, limit: r.limit - held, sink: r.sink,
		})
		list = append(list, s)
		held += s.reserved
		return held < r.limit
	})
	if len(list) == 0 {
		return reserved
	}
	truncated, bodySize, kept := c.Truncated, c.BodySize, c.KeptSize
	var one shown
	if len(list) == 1 {
		one, held = list[0], 0
	} else {
		one = join(list, r.sink)
	}
	r.sink.Release(reserved + held)
	one.onto(c)
	c.Truncated, c.BodySize, c.KeptSize = first(truncated, one.truncated), bodySize, kept
	return one.reserved
}

// join makes an array of messages. What is no JSON is put in as base64.
func join(list []shown, sink dissect.Sink) (out shown) {
	text := []byte{'['}
	for i := range list {
		if i > 0 {
			text = append(text, ',')
		}
		if s := &list[i]; s.media == "application/json" && json.Valid(s.body) {
			text = append(text, s.body...)
		} else {
			text = append(append(text, `{"@bytes":"`...), base64.StdEncoding.EncodeToString(s.body)...)
			text = append(text, `"}`...)
		}
		out.truncated = first(out.truncated, list[i].truncated)
		out.coding = first(out.coding, list[i].coding)
	}
	out.media = "application/json"
	return out.keep(append(text, ']'), sink)
}

// plainText removes base64, as far as it goes: each message may have its own padding.
func plainText(b []byte) (out []byte) {
	for len(b) >= 4 {
		var group [3]byte
		n, err := base64.StdEncoding.Decode(group[:], b[:4])
		if err != nil {
			break
		}
		out, b = append(out, group[:n]...), b[4:]
	}
	return out
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
