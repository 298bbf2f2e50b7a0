// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import "sync/atomic"

// Stats counts what a source read, once for all shards.
type Stats struct {
	Files          atomic.Uint64 // opened
	FileErrors     atomic.Uint64 // files that could not be read to their end
	Packets        atomic.Uint64 // frames read
	Bytes          atomic.Uint64 // captured bytes of these frames
	Segments       atomic.Uint64 // TCP segments and UDP datagrams found in them
	NotTransport   atomic.Uint64 // frames with neither TCP nor UDP
	Malformed      atomic.Uint64 // frames with a header that contradicts itself
	Truncated      atomic.Uint64 // frames of which too little was captured to tell
	Unsupported    atomic.Uint64 // frames with a link type that is not known
	UnknownPayload atomic.Uint64 // frames that carry what can't be read: an unknown protocol in a tunnel, encrypted or aggregated Wi-Fi
	Translated     atomic.Uint64 // segments left out, of connections that were captured a second time behind translation or a tunnel
	Fragments      atomic.Uint64 // IP fragments that did not complete a datagram
	LostFragment   atomic.Uint64 // datagrams that were not completed
}
