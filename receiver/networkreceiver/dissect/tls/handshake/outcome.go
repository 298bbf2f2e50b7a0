// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

// Outcome is Message.Protocol of a response.
type Outcome struct {
	Version, Cipher, Group uint16
	QUIC                   bool
	ALPN                   string
	JA3S                   string
	Established            bool
	Resumed                bool
	Retried                bool // HelloRetryRequest
	AsksClient             bool // for a certificate
	Server, Client         Chain
	Alert, AlertBy         string
	// Failure is error.type of a handshake that has failed.
	Failure string
	// Duration is the time from the ClientHello to the end of the handshake, ns.
	Duration int64
}
