// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http2

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// fields is what of a header section is known by name.
type fields struct {
	pseudo                                    int // how many pseudo-header fields there are
	method, scheme, authority, path, protocol string
	status                                    int
	host                                      string
	mediaType, charset                        string
	length                                    uint64
	hasLength                                 bool
	codings                                   []string
	flags                                     flagSet
}

// isPseudo tells pseudo-header fields (RFC 9113, section 8.3). No other name begins so.
func isPseudo(name string) bool { return len(name) > 0 && name[0] == ':' }

// readFields reads a header section.
func readFields(list []dissect.Header) (f fields) {
	for i := range list {
		name, value := list[i].Name, list[i].Value
		if isPseudo(name) {
			f.addPseudo(name, value)
			f.pseudo++
			continue
		}
		switch name {
		case "host":
			f.host = value
		case "content-type":
			f.mediaType, f.charset = httpmessage.ParseMediaType(value)
		case "content-length":
			f.length, f.hasLength = parseLength(value)
			if !f.hasLength {
				f.flags |= flagMalformed
			}
		case "content-encoding":
			f.codings = httpmessage.AppendCodings(f.codings, value)
		}
	}
	return f
}

func (f *fields) addPseudo(name, value string) {
	switch name {
	case ":method":
		f.method = value
	case ":scheme":
		f.scheme = value
	case ":authority":
		f.authority = value
	case ":path":
		f.path = value
	case ":protocol":
		f.protocol = value
	case ":status":
		if n, ok := parseLength(value); ok && len(value) == 3 {
			f.status = int(n)
		} else {
			f.flags |= flagMalformed
		}
	default:
		f.flags |= flagMalformed
	}
}

// parseLength reads 1*DIGIT below 2^60.
func parseLength(s string) (n uint64, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<56 {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, s != ""
}
