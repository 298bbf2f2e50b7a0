// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TestOffer asks to go on with HTTP/2: the request waits for what the server says.
func TestOffer(t *testing.T) {
	const ask = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
	for name, test := range map[string]struct {
		then             []step
		messages, legacy int
	}{
		"accepted":          {[]step{server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")}, 0, 2},
		"to something else": {[]step{server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")}, 2, 0},
		"refused":           {[]step{server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}, 2, 0},
		"interim":           {[]step{server("HTTP/1.1 103 Early Hints\r\n\r\n")}, 2, 0},
		"another request":   {[]step{client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")}, 2, 0},
		"lost":              {[]step{lost(toClient, 10)}, 1, 0},
		"closed":            {[]step{ends(toClient, conn.ReasonFIN)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayer(Dissector{}.Info().Limits)
			p.play(client(ask))
			require.Empty(t, p.sink.messages)
			p.check(t)
			p.play(test.then...)
			p.check(t)
			assert.Len(t, p.sink.messages, test.messages)
			left := p.conversation.TransferMessages(true)
			require.Len(t, left, test.legacy)
			if test.legacy > 0 {
				assert.Equal(t, dissect.Request, left[0].Kind)
				assert.Equal(t, dissect.Response, left[1].Kind)
				assert.Equal(t, []string{"h2c"}, p.sink.upgrades)
			}
		})
	}
}
