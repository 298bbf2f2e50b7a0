// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package lookup

import (
	"net/netip"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
)

// Owner is who looks up names and then connects: a process; where that is not known,
// what shares a cgroup and a network namespace; in a capture file, an address.
//
// It is never somebody else who looks up on behalf of a process over a Unix socket
// (nscd): nothing on the network tells for whom.
type Owner struct {
	pid     int32
	started int64
	cgroup  uint64
	netNS   uint32
	client  netip.Addr
}

// OwnerOf gives the owner of a connection's client end, which has the address.
func OwnerOf(c *conn.Conn, client netip.Addr) Owner {
	switch {
	case !c.Live:
		return Owner{client: client.Unmap()}
	case c.Process != nil:
		return Owner{pid: c.Process.PID, started: c.Process.StartTime}
	}
	return Owner{cgroup: c.Cgroup, netNS: c.NetNS}
}
