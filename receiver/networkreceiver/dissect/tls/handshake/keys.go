// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import (
	"crypto/hkdf"
	"encoding/binary"
	"hash"
)

// ExpandLabel is HKDF-Expand-Label of RFC 8446, section 7.1, without context.
func ExpandLabel(h func() hash.Hash, secret []byte, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "+label...)
	info = append(info, 0)
	out, err := hkdf.Expand(h, secret, string(info), n)
	if err != nil {
		return nil
	}
	return out
}
