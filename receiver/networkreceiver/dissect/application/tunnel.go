// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package application

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/websocket"
)

// OpenTunnel returns the readers of what goes through a stream that an extended CONNECT
// has opened (RFC 8441), by direction. They are nil if nothing is known of its protocol.
// origin is the request; the readers keep what they need of it.
func (s *Set) OpenTunnel(protocol string, origin, response *dissect.Message, limits dissect.Limits, sink dissect.Sink) (readers [2]httpmessage.Reader) {
	if protocol != "websocket" {
		return readers
	}
	call := httpmessage.Origin(origin)
	for d, r := range websocket.NewReaders(limits, sink, s.orEverything().disabled) {
		r.Origin = call
		r.Answer(response)
		readers[d] = &websocket.Stream{Reader: r}
	}
	return readers
}
