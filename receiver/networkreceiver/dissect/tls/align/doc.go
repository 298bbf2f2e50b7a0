// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package align finds for each byte of plaintext, which a process's TLS library has shown,
// its place on the wire. It takes records and plaintext and gives placements: plaintext in
// its order, each piece with the sequence number, the time and the acknowledgement of the
// record that carried it, or with the word that these are not known.
//
// Records and the calls of the library cut the same bytes into pieces:
//
//	wire       |hdr|  record  |tag|hdr| ticket |tag|hdr|  record  |tag|hdr| record |tag|
//	                    117              234               100               50
//	plaintext      |    117      |                    |    100     |  20  |     30     |
//	                    ^ begin together                   ^ go on behind the ticket   ^ fit
//
// Where an end of a record and an end of a call have as many bytes before them, they belong
// together. A record that carries something else, a ticket or the rest of a handshake, looks
// like any other; leaving it out makes both fit.
//
// # Order of evidence
//
//   - What cannot be is out of the question: nothing is read before its record has come
//     (impossible), and nobody gets an answer to what was not asked (waitsForRequest).
//   - Lengths (match): the least number of records, and after a loss of records also of
//     chunks, that has to be left out until both fit.
//   - Where plaintext is missing too, or the connection was joined midway, messages of one
//     length fit each other's records. Places are compared (join, compare), and the better one
//     is, in this order:
//     what the last certain place and the number of bytes since then allow (anchor);
//     where turns of both sides begin on the wire and in the library together (turn);
//     what is not read behind its answer throughout;
//     what fits in several different lengths;
//     what is nearer in time.
//   - What a record adds to its plaintext is guessed if the handshake was not seen, by the same
//     comparison, and believed as long as turns agree (overhead).
//   - Key updates look like five bytes of data, and show by what is left over (updates).
//   - After patience nothing more is waited for: where nothing was lost, what comes next begins
//     together (suppose); else plaintext is handed over without its place (guess), and it is
//     given up where its pair may be among what is missing. What was written before the wire
//     has it is handed over ahead of its records, whose lengths are compared later (advance).
//
// # Constants
//
// From specifications: headerBytes and maxPlain (RFC 8446, section 5.1), blockBytes (AES),
// updateBytes (RFC 8446, section 4.6.3: a header of four bytes and one), overheads (RFC 8446,
// section 5.2; RFC 5288; RFC 7905), seenLate (bpf/lib/tls/tls.h).
//
// Bounds of memory, from the budget of a connection: maxWaiting, maxChunks, maxRecords,
// maxUnclaimed. What exceeds them is handed over without its place, as TestSlowPeers shows.
//
// Bounds of work for each chunk, so that a connection of thousands of records of one length
// takes time in proportion to them (BenchmarkJoinedBulk): maxSkipped, maxSteps, someSteps,
// fewSteps, seekAfter, nearRecords, nearChunks, maxWalk, maxCompared, maxPieces, maxPairs,
// maxTurns.
//
// Counts that decide between places are held by the simulations of the tests, which lose and
// delay at random and know the truth: with a quarter or four times of pairsAlone TestLossOfBoth
// and TestJoinAfterLoss fail, of mostOdd TestGuessedOverhead, with four times of pairsAgreed
// the same, with four times of leastTrust TestWrongGuess. mostHidden is more than what the
// tickets of a handshake have; with a quarter of it TestPlain fails.
//
// Chosen, as no test tells a quarter of them from four times: farApart and tolerance, by which
// a busy machine makes a library late, and mostTrust. patience is how long a busy machine may
// keep records from the capture that a library has sent; TestForgottenBeforeItsRecords has no
// more time than twice that.
package align // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/align"
