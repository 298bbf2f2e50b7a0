// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"unsafe"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// ConnectionBytes is what the builder holds of a connection from its first call on.
const ConnectionBytes = int(unsafe.Sizeof(connection{}))

// connection is what calls of the same connection have found out.
type connection struct {
	// serverName is the name by which the client has looked up the server's address,
	// empty where none is known, and nameSought is how often it was looked for.
	serverName string
	nameSought uint8
	// natSought is how often the kernel was asked for the translation of the address.
	natSought uint8
}

// connectionOf returns what is known of a connection, to be added to.
func connectionOf(n *conn.Conn) *connection {
	if n.Telemetry == nil {
		n.Telemetry = new(connection)
	}
	return n.Telemetry.(*connection)
}

// seeksName reports whether the next call looks for the server's name.
func (c *connection) seeksName() bool { return c.serverName == "" && c.nameSought < maxSought }
