// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// Stream is a Reader of frames that come in the body of a stream of HTTP/2 (RFC 8441),
// cut anywhere.
type Stream struct {
	*Reader
	rest [maxHeader]byte // a frame's header that is not whole yet
	n    int
	lost bool // where the next frame begins is not known
}

var _ httpmessage.Reader = (*Stream)(nil)

// Read takes the next bytes.
func (s *Stream) Read(p []byte, m dissect.Marks, at int) {
	for len(p) > 0 && !s.lost {
		used := 0
		var err error
		if s.n > 0 {
			used, err = s.complete(p, m, at)
		} else if used, _, err = s.take(m, at, p); err == nil && used < len(p) {
			s.n = copy(s.rest[:], p[used:])
			used += s.n
		}
		s.lost = err != nil
		p, at = p[used:], at+used
	}
}

// complete adds to a header until it is whole.
func (s *Stream) complete(p []byte, m dissect.Marks, at int) (used int, err error) {
	for used < len(p) {
		s.rest[s.n] = p[used]
		s.n++
		used++
		if _, need, ok := parseFrame(s.rest[:s.n]); need > 0 && ok {
			continue
		}
		_, _, err = s.take(dissect.MarksAt(m.At(at+used-1)), 0, s.rest[:s.n])
		s.n = 0
		return used, err
	}
	return used, nil
}

// Lose says that n bytes are missing, or with 0 any number.
func (s *Stream) Lose(n uint64, why conn.Reason) {
	if r := s.Reader; n > 0 && r.inFrame && n <= r.frame.length-r.read {
		last := r.current().last
		last.Offset++
		last.Seq++
		r.Gap(last, n)
		return
	}
	s.Reader.Lose(why)
	s.n, s.lost = 0, true
}

// End says that nothing more comes.
func (s *Stream) End(why conn.Reason) (events uint64) {
	s.Reader.End(cmp.Or(why, conn.ReasonFIN))
	return 0
}
