// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package align

// updates finds key updates (RFC 8446, section 4.6.3) that were taken for data. They look
// like records that carry five bytes, and where a process reads single bytes, every
// length fits. But then five bytes are left of a later record when the process has read
// all there is.
type updates struct {
	surplus int   // bytes of records that may have been none
	read    int64 // when the process has read last
}

// updateBytes is the length of a KeyUpdate.
const updateBytes = 5

// note takes what a record and a chunk begin to have in common.
func (u *updates) note(a *aligner, r *wire, c *chunk) {
	if r.used == 0 {
		if u.read < r.mark.Time && r.mark.Time <= c.time {
			u.surplus = 0 // nothing was left before it
		}
		if a.c.cipher.TLS13 && r.plain == updateBytes {
			u.surplus += updateBytes
		}
	}
	u.read = c.time
}

// explain tells whether the rest of the first record is what updates were given too much.
func (u *updates) explain(a *aligner) bool {
	r, c := &a.records[0], &a.chunks[0]
	if u.surplus == 0 || !a.read || c.begun || r.used == 0 || r.plain-r.used != u.surplus || len(a.records) == 1 {
		return false
	}
	next := &a.records[1]
	if next.isHole || u.read >= next.mark.Time || c.time < next.mark.Time {
		return false
	}
	u.surplus = 0
	return true
}
