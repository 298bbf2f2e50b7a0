// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bpf // import "github.com/wirespan/wirespan/bpf"

import "github.com/cilium/ebpf"

// Shared are the maps that the programs in the libraries have in common with those
// at the sockets, by their names in both objects.
func (m *CaptureMaps) Shared() map[string]*ebpf.Map {
	return map[string]*ebpf.Map{
		TLSMapRings:       m.Rings,
		TLSMapLost:        m.Lost,
		TLSMapTlsCalls:    m.TlsCalls,
		TLSMapTlsSessions: m.TlsSessions,
		TLSMapTlsSockets:  m.TlsSockets,
		TLSMapTlsOutputs:  m.TlsOutputs,
		TLSMapTlsCoverage: m.TlsCoverage,
		TLSMapTlsEvents:   m.TlsEvents,
	}
}
