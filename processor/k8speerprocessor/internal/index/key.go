// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"net/netip"
)

// Protocol is a transport protocol.
type Protocol uint8

// The transport protocols that Kubernetes has ports for.
const (
	AnyProtocol Protocol = iota
	TCP
	UDP
	SCTP
	container // a key that is no address
)

// Key is what a peer is found by: an address, an address with port and protocol,
// a port of all nodes, or a container's id.
type Key struct {
	id       [16]byte
	port     uint16
	protocol Protocol
}

// Address is the key of whoever has an address for itself.
func Address(a netip.Addr) Key { return Key{id: a.As16()} }

// Port is the key of whoever has one port of an address.
func Port(a netip.Addr, port uint16, protocol Protocol) Key {
	return Key{id: a.As16(), port: port, protocol: protocol}
}

// NodePort is the key of the service that has a port on every node.
func NodePort(port uint16, protocol Protocol) Key {
	return Key{port: port, protocol: protocol}
}

// Container is the key of a container by its id of 64 hexadecimal digits, of
// which the first half is enough to tell containers apart.
func Container(id string) (Key, bool) {
	k := Key{protocol: container}
	if len(id) != 64 {
		return Key{}, false
	}
	_, err := hex.Decode(k.id[:], []byte(id[:32]))
	return k, err == nil
}

// hash scatters keys that differ in a few bits.
func (k *Key) hash() uint64 {
	high, low := binary.LittleEndian.Uint64(k.id[:8]), binary.LittleEndian.Uint64(k.id[8:])
	h := low ^ bits.RotateLeft64(high, 17) ^ uint64(k.port)<<8 ^ uint64(k.protocol)
	// the finaliser of MurmurHash3
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
