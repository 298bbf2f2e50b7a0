// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"sync"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// maxTries bounds the records that are tried to be the next one after a loss.
const maxTries = 256

// maxFailures is after how many records in a row that do not open a direction is given
// up: the keys are of another session.
const maxFailures = 64

// opener opens the records of one direction.
type opener struct {
	epochs   [3]*protection // in the order in which they are used
	epoch    int
	lost     bool // records may be missing before the next one
	failures int
}

// room is what a record is opened into.
var rooms = sync.Pool{New: func() any { return new([record.MaxPayload]byte) }}

// open opens the next record. missed is how many records were lost before it, as far as
// their numbers tell.
func (o *opener) open(room []byte, h record.Header, payload []byte) (plain []byte, kind byte, missed uint64, ok bool) {
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

func (o *opener) try(p *protection, room []byte, h record.Header, payload []byte) (plain []byte, kind byte, missed uint64, ok bool) {
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

// next goes on to the keys after a Finished message.
func (o *opener) next() {
	for e := o.epoch + 1; e < len(o.epochs); e++ {
		if o.epochs[e] != nil {
			o.epoch = e
			return
		}
	}
}

// update goes on to the key after a KeyUpdate message.
func (o *opener) update() {
	if p := o.epochs[o.epoch]; p != nil && p.version == record.TLS13 {
		o.epochs[o.epoch] = p.updated()
	}
}

func (o *opener) hopeless() bool { return o.failures >= maxFailures }
