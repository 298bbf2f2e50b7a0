// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// body is one message's body, or a chunk of it.
type body struct {
	httpmessage.Body
	left  uint64 // bytes to come of the body (byLength) or the chunk (byChunks)
	exact bool   // left is all that is to come of the body
}

// take adds bytes that were seen. They are still counted in left.
func (b *body) take(p []byte, limit int, sink dissect.Sink) { b.Take(p, b.left, b.exact, limit, sink) }
