// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "github.com/wirespan/wirespan/receiver/networkreceiver/conn"

// translate finds out where a connection's packets really go, if its own packets do not
// show it: their addresses are translated in another network namespace than the
// socket's. It is done when a call ends, because the kernel tells of the translation
// later than of the packet.
func (b *Builder) translate(n *conn.Conn) {
	if b.set.Translator == nil || !n.Live || n.RemoteNAT.IsValid() {
		return
	}
	known := connectionOf(n)
	if known.natSought >= maxSought {
		return
	}
	known.natSought++
	if to, ok := b.set.Translator.Translated(n.Transport, n.Local, n.Remote); ok {
		n.RemoteNAT = to
		b.stats.Translated.Add(1)
	}
}
