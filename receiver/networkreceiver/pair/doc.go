// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package pair is stage 4 of 5: it takes messages and gives exchanges, each a
// request with its response, or one of them and the reason why the other is
// missing. It bounds the requests outstanding per conversation, and their age.
//
// # Order
//
// Messages with a key are paired by it. All others are paired in order: the oldest
// waiting request belongs to the next response. That is exact as long as nothing
// is lost, whatever the connection carries: keep-alive, pipelining, or a response
// that is complete before its request is.
//
// A request is a message only when it is complete, so its response may come first.
// It is held if the server had received (TCP acknowledgement) bytes after the last
// request when it began to send; if not, no request can have caused it, and it
// is unsolicited.
//
// # Position
//
// Two facts hold for every request q and its response p. The server had received
// something of q when it began p:
//
//	p.First.Ack > q.First.Seq
//
// and the client had not received anything of p when it began q:
//
//	q.First.Ack <= p.First.Seq
//
// (modulo 2^32). Both are checked always. They also bound the request that p
// can answer from above: the last one for which both are true.
//
// # After a loss
//
// A loss ([dissect.Output.Resync]) may have taken any number of messages, so the
// order is not known any more until a pair is certain again. What bounds the
// request from below depends on what the client does, and that has been seen:
//
//   - serial: it sends a request when it has received the whole response before.
//     This is assumed until the connection shows otherwise. Then p answers the
//     last request that it can answer; and if the server had received more than
//     that request, p's own request is lost.
//   - batch: it sends several requests at once (they carry the same
//     acknowledgement), and more when all their responses have come. Then p
//     answers a request of the last batch that it can answer, the first one if
//     the batch's acknowledgement is where p begins.
//   - window: it sends requests while responses arrive. Then nothing but an
//     unbroken order is certain.
//
// If this leaves one request, the pair is certain, and order counts again from
// there. If it leaves several, the first of them is taken and the exchange, and
// those after it, are Uncertain. If it leaves none, the response's request is
// lost. Older requests that were passed over have lost their response.
//
// A request that is given up (age, limit) makes the order unknown in the same way.
//
// # Ownership
//
// Whatever comes in goes out in exactly one exchange, Message.Reserved included.
package pair // import "github.com/wirespan/wirespan/receiver/networkreceiver/pair"
