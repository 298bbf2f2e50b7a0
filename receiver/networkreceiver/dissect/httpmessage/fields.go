// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package httpmessage

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TrimOWS removes the optional whitespace of RFC 9110, section 5.6.3.
func TrimOWS(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// NextElement cuts the first non-empty element off a comma-separated list
// (RFC 9110, section 5.6.1). ok is false at the end.
func NextElement(list string) (element, rest string, ok bool) {
	for list != "" {
		element, list, _ = strings.Cut(list, ",")
		if element = TrimOWS(element); element != "" {
			return element, list, true
		}
	}
	return "", "", false
}

// ParseMediaType reads RFC 9110, section 8.3.1, and gives the type and the charset
// in lower case.
func ParseMediaType(v string) (media, charset string) {
	media, params, _ := strings.Cut(v, ";")
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(param, "=")
		if strings.EqualFold(TrimOWS(name), "charset") {
			charset = strings.ToLower(strings.Trim(TrimOWS(value), `"`))
			break
		}
	}
	return strings.ToLower(TrimOWS(media)), charset
}

// AppendCodings appends the codings of one field's value in lower case. identity is
// no coding (RFC 9110, section 8.4.1), and none is how some servers write it.
func AppendCodings(codings []string, value string) []string {
	for {
		coding, rest, ok := NextElement(value)
		if !ok {
			return codings
		}
		coding, _, _ = strings.Cut(coding, ";")
		if coding = strings.ToLower(TrimOWS(coding)); coding != "identity" && coding != "none" {
			codings = append(codings, coding)
		}
		value = rest
	}
}

// Field is the first value of a field.
func Field(m *dissect.Message, name string) string {
	for _, h := range m.Content.Headers {
		if len(h.Name) == len(name) && strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
