// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

// A library shows what it was given when its function returns. On a busy machine another
// thread of the client may have read the answer by then, and shown it. The records know
// better: an answer acknowledges what it is one to.

// waitsForRequest tells whether a record of the server answers one of the client of which
// the plaintext has not been shown yet. It is waited for no longer than for a record.
func (a *aligner) waitsForRequest(r *wire, force bool) bool {
	asked := &a.c.sides[toServer]
	if a.d != toClient || !a.read || len(asked.records) == 0 {
		return false
	}
	q := &asked.records[0]
	if q.isHole || q.waived || int32(r.mark.Ack-q.mark.Seq) <= 0 {
		return false
	}
	q.waived = force || a.due()
	return !q.waived
}

// answer hands over what the server answered, when more is known of what the client asked.
func (a *aligner) answer() {
	if other := &a.c.sides[toClient]; a.d == toServer && other.holds() {
		other.run(false)
	}
}
