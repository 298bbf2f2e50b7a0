// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

type attributes map[string]any

func (a attributes) Str(key, value string)        { a[key] = value }
func (a attributes) Strs(key string, vs []string) { a[key] = vs }
func (a attributes) Int(key string, value int64)  { a[key] = value }
func (a attributes) Float(key string, v float64)  { a[key] = v }
func (a attributes) Bool(key string, value bool)  { a[key] = value }

func (a attributes) Payload(key, _, value string) { a[key] = value }

func TestErrorsByConvention(t *testing.T) {
	for code, want := range map[uint16]struct {
		client, server bool
		kind           string
	}{
		dns.RcodeSuccess:        {},
		dns.RcodeNameError:      {client: true, kind: "host_not_found"},
		dns.RcodeServerFailure:  {client: true, server: true, kind: "try_again"},
		dns.RcodeRefused:        {client: true, kind: "no_recovery"},
		dns.RcodeFormatError:    {client: true, kind: "no_recovery"},
		dns.RcodeNotImplemented: {client: true, server: true, kind: "no_recovery"},
		dns.RcodeBadVers:        {client: true, kind: "no_recovery"},
		3000:                    {client: true, kind: "no_recovery"},
	} {
		for _, side := range []dissect.Side{dissect.ClientSide, dissect.ServerSide} {
			failed, kind := want.client, want.kind
			if side == dissect.ServerSide {
				failed = want.server
			}
			if !failed {
				kind = ""
			}
			out := attributes{}
			s := UDP.Describe(side, nil, &dissect.Message{Protocol: &Info{Code: code}}, out)
			assert.Equal(t, failed, s.Error, "%d", code)
			assert.Equal(t, kind, s.ErrorType, "%d", code)
			assert.Equal(t, kind != "", out["error.type"] != nil, "%d", code)
		}
	}
}

// TestSpanName keeps what anybody can send out of it.
func TestSpanName(t *testing.T) {
	name := func(bits, kind uint16, questions int) string {
		i := &Info{Header: Header{Bits: bits}, Questions: questions, Question: Question{Name: "a.example", Type: kind}}
		return UDP.Describe(dissect.ClientSide, &dissect.Message{Protocol: i}, nil, attributes{}).Name
	}
	assert.Equal(t, "query AAAA", name(0, dns.TypeAAAA, 1))
	assert.Equal(t, "query", name(0, 65_280, 1))
	assert.Equal(t, "notify SOA", name(dns.OpcodeNotify<<shiftOpcode, dns.TypeSOA, 1))
	assert.Equal(t, "DNS A", name(9<<shiftOpcode, dns.TypeA, 1))
	assert.Equal(t, "announce", name(bitQR, 0, 0))
	assert.Equal(t, "DNS", UDP.Describe(dissect.ClientSide, nil, nil, attributes{}).Name)
}
