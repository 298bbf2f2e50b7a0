// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package grpc

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// codes are the names of the status codes (gRPC, "Status codes and their use").
var codes = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

// serverErrors are those that are the server's fault (semantic conventions for gRPC).
var serverErrors = []string{"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}

// status is how a call ended.
type status struct {
	code    string // empty if it is not known
	message string
}

// isError follows the conventions: a client takes all but OK for errors.
func (s status) isError(side dissect.Side) bool {
	if side == dissect.ServerSide {
		return slices.Contains(serverErrors, s.code)
	}
	return s.code != "" && s.code != "OK"
}

// statusOf reads the end of a call's response.
func statusOf(k kind, m *dissect.Message, httpStatus int) status {
	switch k.flavour {
	case connectUnary:
		return connectStatus(m, httpStatus)
	case connectStream:
		if end := trailer(m, endStream); end != "" {
			return ofEnd([]byte(end))
		}
		return status{}
	}
	code, message := trailer(m, "grpc-status"), trailer(m, "grpc-message")
	if code == "" { // a response without messages may have them in its header section
		code, message = field(m, "grpc-status"), field(m, "grpc-message")
	}
	return ofFields(code, message)
}

// ofFields reads grpc-status, a number, and grpc-message, which is percent-encoded.
func ofFields(code, message string) (s status) {
	n, err := strconv.Atoi(strings.TrimSpace(code))
	switch {
	case err != nil:
		return s
	case n >= 0 && n < len(codes):
		s.code = codes[n]
	default:
		s.code = strconv.Itoa(n)
	}
	if plain, err := url.PathUnescape(message); err == nil {
		message = plain
	}
	s.message = message
	return s
}

// connectError is an error in Connect's JSON.
type connectError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *connectError) status() status {
	if e == nil || e.Code == "" {
		return status{code: "OK"}
	}
	code := strings.ToUpper(e.Code)
	if code == "CANCELED" {
		code = "CANCELLED"
	}
	return status{code: code, message: e.Message}
}

// readable is JSON as UTF-8: encoding/json would replace what is not.
func readable(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return []byte(dissect.Text(string(b)))
}

// ofEnd reads the last message of a stream of Connect.
func ofEnd(b []byte) status {
	var end struct {
		Error *connectError `json:"error"`
	}
	if json.Unmarshal(readable(b), &end) != nil {
		return status{}
	}
	return end.Error.status()
}

// connectStatus reads the response of a unary call of Connect: an error is JSON, with
// a status of HTTP that is not 200.
func connectStatus(m *dissect.Message, httpStatus int) status {
	if httpStatus == 200 {
		return status{code: "OK"}
	}
	var e connectError
	if json.Unmarshal(readable(m.Content.Body), &e) != nil || e.Code == "" {
		return status{}
	}
	return e.status()
}
