// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package decrypt

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// Session is what the hellos say of a session.
type Session struct {
	Version        uint16
	Suite          Suite
	EncryptThenMAC bool
	Random         [2][32]byte // the client's first
}

// Openers returns those of both directions, nil where the secrets are not known.
func (k *Keys) Openers(s *Session) (out [2]*Opener) {
	keys, ok := k.of(s.Random[dissect.ToServer])
	if !ok {
		return out
	}
	for d, epochs := range s.epochs(&keys) {
		if epochs != [3]*protection{} {
			out[d] = &Opener{version: s.Version, epochs: epochs}
		}
	}
	return out
}

// epochs are the keys of both directions in the order in which they are used.
func (s *Session) epochs(keys *sessionKeys) (epochs [2][3]*protection) {
	switch {
	case s.Version == record.TLS13:
		for d, labels := range [2][3]secret{{clientEarly, clientHandshake, clientTraffic}, {secrets, serverHandshake, serverTraffic}} {
			for e, label := range labels {
				if label < secrets && len(keys[label]) == s.Suite.hash().Size() {
					epochs[d][e] = protect13(s.Suite, keys[label])
				}
			}
		}
	case len(keys[masterSecret]) == 48:
		client, server := s.Random[dissect.ToServer][:], s.Random[dissect.ToClient][:]
		for d, p := range protect12(s.Suite, s.Version, keys[masterSecret], client, server, s.EncryptThenMAC) {
			epochs[d][0] = p
		}
	}
	return epochs
}
