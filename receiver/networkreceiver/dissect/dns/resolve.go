// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"github.com/miekg/dns"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

var _ dissect.Resolver = UDP

// Resolve implements [dissect.Resolver]. Addresses are asked for by the types that
// resolvers of host names use (RFC 1035, RFC 3596, RFC 9460).
func (Dissector) Resolve(req, resp *dissect.Message) (r dissect.Resolution, ok bool) {
	asked, answer := infoOf(req), infoOf(resp)
	if asked == nil {
		asked = answer
	}
	if asked == nil || asked.opcode() != dns.OpcodeQuery || asked.Questions != 1 || asked.Question.Class&classMask != dns.ClassINET {
		return r, false
	}
	switch asked.Question.Type {
	case dns.TypeA, dns.TypeAAAA, dns.TypeHTTPS, dns.TypeANY:
	default:
		return r, false
	}
	r.Name, r.Kind = asked.Question.Name, asked.Question.Type
	if answer != nil {
		r.Addresses = answer.Addresses
		r.Answered = answer.Code == dns.RcodeSuccess && answer.Bits&bitTC == 0
	}
	return r, true
}
