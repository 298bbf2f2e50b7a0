// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package truth is what the programs under test agree on: the bodies that they
// send, and the log in which each says what it did.
package truth // import "github.com/wirespan/wirespan/internal/testkit/truth"

import (
	"os"

	"github.com/wirespan/wirespan/internal/testkit/jsonl"
)

// SequenceHeader carries an id that is unique among all requests of a test.
const SequenceHeader = "X-Sequence"

// Call is what a program itself says about one call.
type Call struct {
	PID            int    `json:"pid"`
	Sequence       string `json:"sequence"`
	Method         string `json:"method"`
	URI            string `json:"uri"` // request target
	Status         int    `json:"status"`
	RequestSize    int    `json:"request_size"`
	RequestSHA256  string `json:"request_sha256"`
	ResponseSize   int    `json:"response_size"`
	ResponseSHA256 string `json:"response_sha256"`
	// Error is set by a client that did not get a whole response.
	Error string `json:"error,omitempty"`
}

// Log is where a program writes its calls.
type Log = jsonl.Log[Call]

// OpenLog opens the file that the environment variable TRUTH names, or else the
// standard output.
func OpenLog() (*Log, error) {
	if path := os.Getenv("TRUTH"); path != "" {
		return jsonl.Append[Call](path)
	}
	return jsonl.To[Call](os.Stdout), nil
}

// Read reads a log. The last line is left out while it is still being written.
func Read(path string) ([]Call, error) { return jsonl.Read[Call](path) }
