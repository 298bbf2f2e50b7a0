// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// forwarded is what the nearest proxy says about the first hop.
type forwarded struct {
	client, host, proto string
}

// parseForwarded reads Forwarded (RFC 7239), or else the X-Forwarded fields.
func parseForwarded(m *dissect.Message) (f forwarded) {
	if v := Field(m, "Forwarded"); v != "" {
		first, _, _ := NextElement(v)
		for first != "" {
			var pair string
			pair, first, _ = strings.Cut(first, ";")
			name, value, _ := strings.Cut(pair, "=")
			value = strings.Trim(TrimOWS(value), `"`)
			switch strings.ToLower(TrimOWS(name)) {
			case "for":
				f.client = value
			case "host":
				f.host = value
			case "proto":
				f.proto = strings.ToLower(value)
			}
		}
	} else {
		f.client, _, _ = NextElement(Field(m, "X-Forwarded-For"))
		f.host, _, _ = NextElement(Field(m, "X-Forwarded-Host"))
		f.proto, _, _ = NextElement(strings.ToLower(Field(m, "X-Forwarded-Proto")))
	}
	if !isScheme(f.proto) {
		f.proto = ""
	}
	// RFC 7239, section 6: the client may hide.
	if f.client == "unknown" || strings.HasPrefix(f.client, "_") {
		f.client = ""
	}
	return f
}
