// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package decrypt

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"

// maxTries bounds the records that are tried to be the next one after a loss.
const maxTries = 256

// maxFailures is after how many records in a row that do not open a direction is given
// up: the keys are of another session.
const maxFailures = 64

// Opener opens the records of one direction.
type Opener struct {
	version  uint16
	epochs   [3]*protection // in the order in which they are used
	epoch    int
	lost     bool // records may be missing before the next one
	failures int
}

// Open opens the next record into room, which has record.MaxPayload bytes. missed is how many records were lost before it, as far as
// their numbers tell.
func (o *Opener) Open(room []byte, h record.Header, payload []byte) (plain []byte, kind byte, missed uint64, ok bool) {
	for e := o.epoch; e < len(o.epochs); e++ {
		p := o.epochs[e]
		if p == nil {
			continue
		}
		if plain, kind, missed, ok = o.try(p, room, h, payload); ok {
			o.epoch, o.lost, o.failures = e, false, 0
			return plain, kind, missed, true
		}
		if p.version != record.TLS13 || !o.lost {
			continue
		}
		next := p.updated()
		if plain, kind, missed, ok = o.try(next, room, h, payload); ok {
			o.epochs[e] = next
			o.epoch, o.lost, o.failures = e, false, 0
			return plain, kind, missed, true
		}
	}
	o.failures++
	return nil, 0, 0, false
}

func (o *Opener) try(p *protection, room []byte, h record.Header, payload []byte) (plain []byte, kind byte, missed uint64, ok bool) {
	if p == nil {
		return nil, 0, 0, false
	}
	tries := uint64(1)
	if o.lost {
		tries = maxTries
	}
	for n := range tries {
		if plain, kind, ok = p.open(room, h, payload, p.seq+n); ok {
			p.seq += n + 1
			return plain, kind, n, true
		}
	}
	return nil, 0, 0, false
}

// Next goes on to the keys after a Finished message.
func (o *Opener) Next() {
	for e := o.epoch + 1; e < len(o.epochs); e++ {
		if o.epochs[e] != nil {
			o.epoch = e
			return
		}
	}
}

// Update goes on to the key after a KeyUpdate message.
func (o *Opener) Update() {
	if p := o.epochs[o.epoch]; p != nil && p.version == record.TLS13 {
		o.epochs[o.epoch] = p.updated()
	}
}

// Lost says that records may be missing before the next one.
func (o *Opener) Lost() { o.lost = true }

// Missed reports whether a record that has not opened is taken to be one of those that are
// missing. At the beginning of TLS 1.3 it may be one whose key is not in the log.
func (o *Opener) Missed(h record.Header) bool {
	if o.version != record.TLS13 || o.failures > 1 || h.Kind == record.ApplicationData && o.epoch > 0 {
		o.lost = true
		return true
	}
	return false
}

// Hopeless reports whether the keys are taken to be those of another session.
func (o *Opener) Hopeless() bool { return o.failures >= maxFailures }
