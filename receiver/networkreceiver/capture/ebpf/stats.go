// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package ebpf

import "sync/atomic"

// Stats counts what a source captured, for all shards together.
type Stats struct {
	Packets         atomic.Uint64 // records of packets read
	Bytes           atomic.Uint64 // bytes in them that the kernel copied
	Owners          atomic.Uint64 // times that a socket's owner was told
	Peers           atomic.Uint64 // times that the owner of an end that is not captured was told
	Left            atomic.Uint64 // sockets left because the other end is captured
	Resets          atomic.Uint64 // connections that the kernel has ended by a reset
	Processes       atomic.Uint64 // different processes told
	UnknownOwners   atomic.Uint64 // owners of which nothing could be found out but the id
	LostRingFull    atomic.Uint64 // packets for which a ring had no room, or none for more of their socket
	LostCopyFailed  atomic.Uint64 // packets that the kernel could not copy
	LostMalformed   atomic.Uint64 // records that could not be decoded
	LostShutdown    atomic.Uint64 // packets that were left in a ring when the time to hand them over was up
	Trimmed         atomic.Uint64 // packets whose payload was left out because nobody needs it; most such packets are not told of at all
	TruncatedPacket atomic.Uint64 // packets of more than 256 KiB, cut

	Plain               atomic.Uint64 // pieces of plaintext read
	PlainBytes          atomic.Uint64 // bytes in them
	LostPlainRingFull   atomic.Uint64 // pieces for which a ring had no room
	LostPlainCopyFailed atomic.Uint64 // pieces that the kernel could not copy
	LostPlainShutdown   atomic.Uint64 // pieces that were left in a ring when the time to hand them over was up

	LostShutdownBytes      atomic.Uint64 // bytes of packets in LostShutdown that the kernel copied
	LostPlainShutdownBytes atomic.Uint64 // bytes of plaintext in LostPlainShutdown
}
