// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// exchanged is what a message on the wire becomes.
func exchanged(t *testing.T, m *dns.Msg) *dissect.Message {
	t.Helper()
	b, err := m.Pack()
	require.NoError(t, err)
	p, err := parse(b, 1<<10)
	require.NoError(t, err)
	return &dissect.Message{Protocol: &p.Info}
}

func TestResolve(t *testing.T) {
	ask := func(kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion("Shop.example.", kind) }
	answer := func(change func(*dns.Msg)) *dns.Msg {
		m := new(dns.Msg).SetReply(ask(dns.TypeA))
		for _, text := range []string{"shop.example. 60 IN CNAME cdn.example.", "cdn.example. 60 IN A 192.0.2.1", "cdn.example. 60 IN A 192.0.2.2"} {
			rr, err := dns.NewRR(text)
			require.NoError(t, err)
			m.Answer = append(m.Answer, rr)
		}
		change(m)
		return m
	}
	addresses := []string{"192.0.2.1", "192.0.2.2"}
	for name, c := range map[string]struct {
		req, resp *dns.Msg
		want      dissect.Resolution
		no        bool
	}{
		"through an alias": {ask(dns.TypeA), answer(func(*dns.Msg) {}), dissect.Resolution{Kind: dns.TypeA, Addresses: addresses, Answered: true}, false},
		"response only":    {nil, answer(func(*dns.Msg) {}), dissect.Resolution{Kind: dns.TypeA, Addresses: addresses, Answered: true}, false},
		"truncated":        {ask(dns.TypeA), answer(func(m *dns.Msg) { m.Truncated = true }), dissect.Resolution{Kind: dns.TypeA, Addresses: addresses}, false},
		"no such name": {
			ask(dns.TypeA), answer(func(m *dns.Msg) { m.Rcode, m.Answer = dns.RcodeNameError, nil }),
			dissect.Resolution{Kind: dns.TypeA},
			false,
		},
		"nobody answers":      {ask(dns.TypeHTTPS), nil, dissect.Resolution{Kind: dns.TypeHTTPS}, false},
		"not of an address":   {req: ask(dns.TypeMX), no: true},
		"multicast, by bit":   {&dns.Msg{Question: []dns.Question{{Name: "shop.example.", Qtype: dns.TypeAAAA, Qclass: dns.ClassINET | 1<<15}}}, nil, dissect.Resolution{Kind: dns.TypeAAAA}, false},
		"of another class":    {req: &dns.Msg{Question: []dns.Question{{Name: "shop.example.", Qtype: dns.TypeA, Qclass: dns.ClassCHAOS}}}, no: true},
		"an announcement":     {resp: answer(func(m *dns.Msg) { m.Question = nil }), no: true},
		"not a query":         {req: new(dns.Msg).SetNotify("shop.example."), no: true},
		"nothing was seen":    {no: true},
		"several at a time":   {req: &dns.Msg{Question: []dns.Question{ask(dns.TypeA).Question[0], ask(dns.TypeAAAA).Question[0]}}, no: true},
		"an update by opcode": {req: new(dns.Msg).SetUpdate("shop.example."), no: true},
	} {
		t.Run(name, func(t *testing.T) {
			var req, resp *dissect.Message
			if c.req != nil {
				req = exchanged(t, c.req)
			}
			if c.resp != nil {
				resp = exchanged(t, c.resp)
			}
			got, ok := UDP.Resolve(req, resp)
			assert.Equal(t, !c.no, ok)
			if ok {
				assert.Equal(t, "shop.example", strings.ToLower(got.Name))
				c.want.Name = got.Name
				assert.Equal(t, c.want, got)
			}
		})
	}
}
