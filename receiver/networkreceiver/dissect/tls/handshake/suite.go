// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import "crypto/tls"

// names of suites that crypto/tls does not know.
var otherNames = map[uint16]string{
	0x0033: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0039: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
	0x0067: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x006b: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
	0x009e: "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009f: "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
	0x003d: "TLS_RSA_WITH_AES_256_CBC_SHA256", 0xc024: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
	0xc028: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xccaa: "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	0x00ff: "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", 0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
}

// suiteName is IANA's name, or the number in hexadecimal.
func suiteName(id uint16) string {
	if name, ok := otherNames[id]; ok {
		return name
	}
	return tls.CipherSuiteName(id)
}
