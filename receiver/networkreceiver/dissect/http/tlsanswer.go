// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"bytes"
	"strconv"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// TLSAlert is Message.Protocol of a response that is none: the server speaks TLS, and
// says that what it got is not.
type TLSAlert struct{ Code byte }

const alertBytes = 7

// isAlert tells whether b begins like a record that is an alert (RFC 8446, sections 5.1
// and 6).
func isAlert(b []byte) bool {
	record := [...]byte{21, 3}
	length := [...]byte{0, 2}
	return bytes.HasPrefix(b, record[:min(len(b), len(record))]) &&
		(len(b) < 5 || b[2] <= 4 && bytes.Equal(b[3:5], length[:]))
}

// alert takes an alert as the answer to a request in the clear.
func (c *conversation) alert(m dissect.Marks, at int, b []byte) (n, need int, err error) {
	if len(b) < alertBytes {
		return 0, alertBytes, nil
	}
	c.sink.Message(&dissect.Message{
		Kind: dissect.Response, Direction: dissect.ToClient, First: m.At(at), Last: m.At(at + alertBytes - 1), Size: alertBytes,
		Protocol: &TLSAlert{Code: b[6]},
	})
	return alertBytes, 0, nil
}

func describeAlert(a *TLSAlert, out dissect.Attributes, s *dissect.Summary) {
	s.Error, s.ErrorType, s.Status = true, "tls_alert", "TLS alert "+strconv.Itoa(int(a.Code))
	out.Str("error.type", s.ErrorType)
	out.Int("wirespan.tls.alert.code", int64(a.Code))
}
