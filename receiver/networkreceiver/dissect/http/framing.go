// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// framing tells how the end of a message's body is found.
type framing uint8

const (
	noBody     framing = iota
	byLength           // Content-Length
	byChunks           // Transfer-Encoding: chunked
	untilClose         // the end of the connection
	tunnel             // no body, and no more HTTP after the header section
)

// fields is what of a header section decides about the message itself.
type fields struct {
	flags       flagSet
	lengths     int    // valid Content-Length values seen
	length      uint64 // the first of them
	badLength   bool   // an invalid or a differing value was seen
	transfer    bool   // Transfer-Encoding is there
	chunkedLast bool   // and its last coding is chunked
	codings     []string
	mediaType   string
	charset     string
	hosts       int
	host        string
	upgrade     string // the first protocol in Upgrade, lower case
	expect      bool   // Expect: 100-continue
}

// scanFields reads the fields that matter. Names are compared without regard to case.
func scanFields(headers []dissect.Header) (f fields) {
	var transfer [httpmessage.MaxCodings]string
	transferCodings := transfer[:0]
	for i := range headers {
		name, value := headers[i].Name, headers[i].Value
		switch len(name) {
		case len("Host"):
			if strings.EqualFold(name, "Host") {
				if f.hosts++; f.hosts == 1 {
					f.host = value
				}
			}
		case len("Expect"):
			if strings.EqualFold(name, "Expect") {
				f.expect = f.expect || strings.EqualFold(value, "100-continue")
			}
		case len("Upgrade"):
			if f.upgrade == "" && strings.EqualFold(name, "Upgrade") {
				protocol, _, _ := httpmessage.NextElement(value)
				f.upgrade = strings.ToLower(protocol)
			}
		case len("Content-Type"):
			if f.mediaType == "" && strings.EqualFold(name, "Content-Type") {
				f.mediaType, f.charset = httpmessage.ParseMediaType(value)
			}
		case len("Content-Length"):
			if strings.EqualFold(name, "Content-Length") {
				f.addLength(value)
			}
		case len("Content-Encoding"):
			if strings.EqualFold(name, "Content-Encoding") {
				f.codings = httpmessage.AppendCodings(f.codings, value)
			}
		case len("Transfer-Encoding"):
			if strings.EqualFold(name, "Transfer-Encoding") {
				f.transfer = true
				transferCodings = httpmessage.AppendCodings(transferCodings, value)
			}
		}
	}
	if f.transfer {
		f.addTransferCodings(transferCodings)
	}
	return f
}

// addLength takes one Content-Length field. RFC 9112, section 6.3, rule 5: a list of
// identical values counts as one; everything else is invalid.
func (f *fields) addLength(value string) {
	if value == "" {
		f.badLength = true
		f.flags |= flagInvalidContentLength
	}
	for value != "" {
		var one string
		one, value, _ = strings.Cut(value, ",")
		n, ok := parseLength(httpmessage.TrimOWS(one))
		switch {
		case !ok:
			f.badLength = true
			f.flags |= flagInvalidContentLength
		case f.lengths > 0 && n != f.length:
			f.badLength = true
			f.flags |= flagConflictingContentLength
		case f.lengths > 0:
			f.flags |= flagDuplicateContentLength
		default:
			f.length = n
		}
		if ok {
			f.lengths++
		}
	}
}

// parseLength reads 1*DIGIT below 2^60. There is no sign and no space (RFC 9110,
// section 8.6).
func parseLength(s string) (n uint64, ok bool) {
	for i := range len(s) {
		if !isDigit(s[i]) || n > 1<<56 {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, s != ""
}

// addTransferCodings takes the codings in the order in which they were applied.
// Codings below chunked are removed together with the content's (RFC 9112, section 7).
func (f *fields) addTransferCodings(codings []string) {
	for _, coding := range codings {
		switch {
		case coding == "chunked" && f.chunkedLast:
			f.flags |= flagRepeatedChunked
		case coding == "chunked":
			f.chunkedLast = true
		default:
			if f.chunkedLast {
				f.chunkedLast = false
				f.flags |= flagNotChunkedLast
			}
			if httpmessage.Decodable(coding) {
				f.codings = append(f.codings, coding)
			} else {
				f.flags |= flagUnknownTransferCoding
			}
		}
	}
}

// requestFraming applies RFC 9112, section 6.3, to a request. Where a server has to
// refuse the request and close the connection, what follows is taken as its body.
func (f *fields) requestFraming(version string) framing {
	switch {
	case f.transfer:
		f.flagTransfer(version)
		if f.chunkedLast {
			return byChunks
		}
		f.flags |= flagNotChunkedLast
		return untilClose
	case f.badLength:
		return untilClose
	case f.length > 0:
		return byLength
	}
	return noBody
}

// responseFraming applies RFC 9112, section 6.3, to a response to a request of kind q.
func (f *fields) responseFraming(version string, status int, q kind) framing {
	switch {
	case status == 101:
		return tunnel
	case status < 200 || status == 204:
		if f.transfer || f.lengths > 0 { // RFC 9110, section 8.6
			f.flags |= flagBodyForbidden
		}
		return noBody
	case status == 304 || q&isHEAD != 0:
		return noBody
	case q&isCONNECT != 0 && status < 300:
		return tunnel
	case f.transfer:
		f.flagTransfer(version)
		if f.chunkedLast {
			return byChunks
		}
		return untilClose
	case f.badLength || f.lengths == 0:
		return untilClose
	case f.length > 0:
		return byLength
	}
	return noBody
}

func (f *fields) flagTransfer(version string) {
	if f.lengths > 0 || f.badLength {
		f.flags |= flagLengthAndTransferEncoding
	}
	if version == "1.0" {
		f.flags |= flagTransferEncodingIn10
	}
}
