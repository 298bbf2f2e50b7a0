// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
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
	service   // likewise
)

// Key is what a peer is found by: an address, an address with port and protocol,
// a port of all nodes, a container's id, or a service's name.
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

// ServiceName is the key of a service by its name.
func ServiceName(namespace, name string) Key {
	var text [256]byte
	sum := sha256.Sum256(append(append(append(text[:0], namespace...), '/'), name...))
	return Key{id: [16]byte(sum[:16]), protocol: service}
}

// Addr gives the address of a key that has one.
func (k Key) Addr() (netip.Addr, bool) {
	a := netip.AddrFrom16(k.id).Unmap()
	return a, k.protocol < container && !a.IsUnspecified()
}

// MarshalText gives a key as 38 hexadecimal digits.
func (k Key) MarshalText() ([]byte, error) {
	b := append(make([]byte, 0, 19), k.id[:]...)
	b = append(binary.BigEndian.AppendUint16(b, k.port), byte(k.protocol))
	return hex.AppendEncode(nil, b), nil
}

// UnmarshalText reads what MarshalText writes.
func (k *Key) UnmarshalText(text []byte) error {
	var b [19]byte
	if len(text) != hex.EncodedLen(len(b)) {
		return fmt.Errorf("read key: %d characters", len(text))
	}
	if _, err := hex.Decode(b[:], text); err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	*k = Key{id: [16]byte(b[:16]), port: binary.BigEndian.Uint16(b[16:18]), protocol: Protocol(b[18])}
	return nil
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
