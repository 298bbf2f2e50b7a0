// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conn

import "github.com/wirespan/wirespan/receiver/networkreceiver/capture"

var _ capture.LocalHandler = (*Table)(nil)

// Peer implements capture.LocalHandler. A connection that is not there is over, or
// was not let in: its other end needs no name.
func (t *Table) Peer(socket uint64, p *capture.Process) {
	if c := t.sockets[socket]; c != nil && !c.PeerCaptured {
		c.PeerProcess = p
	}
}

// Leave implements capture.LocalHandler. There was only a handshake.
func (t *Table) Leave(socket uint64) {
	t.owners.forget(socket)
	c := t.sockets[socket]
	if c == nil {
		return
	}
	if o := t.peer(c); o != nil && c.PeerCaptured {
		o.PeerCaptured = false
	}
	t.close(c, c.LastActive, ReasonElsewhere)
}
