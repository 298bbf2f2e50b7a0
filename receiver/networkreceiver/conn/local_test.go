// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

func TestPeerIsTold(t *testing.T) {
	s := newScript(t, Settings{})
	p := &capture.Process{PID: 7}
	s.table.Peer(clientSocket, p) // too early: the connection is not there
	s.run("c> S 99", "c< SA 199 100", "c> PA 100 200 q")
	c := s.sink.opened[0]
	assert.Nil(t, c.PeerProcess)
	s.table.Peer(clientSocket, p)
	assert.Same(t, p, c.PeerProcess)
	assert.False(t, c.PeerCaptured, "it has no records")
}

// A client's end is left when the answer to its SYN comes from here.
func TestLeave(t *testing.T) {
	s := newScript(t, Settings{})
	s.run("c> S 99")
	s.table.Leave(clientSocket)
	s.table.Leave(clientSocket)
	s.want("copen", "c> end elsewhere", "c} end elsewhere", "cclose elsewhere")
	assert.EqualValues(t, 1, s.stats.ClosedElsewhere.Load())
	s.run("shutdown")
}
