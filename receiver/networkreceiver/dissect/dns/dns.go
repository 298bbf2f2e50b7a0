// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package dns dissects DNS over UDP and TCP (RFC 1035), and what has its message
// format: multicast DNS (RFC 6762) and LLMNR (RFC 4795).
package dns // import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dns"

import (
	"cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Dissector is the dissector of DNS over one transport: [UDP] or [TCP].
type Dissector capture.Transport

// The dissectors. They share a name, and with it the configuration.
const (
	UDP = Dissector(capture.UDP)
	TCP = Dissector(capture.TCP)
)

var (
	_ dissect.Dissector    = UDP
	_ dissect.Conversation = (*conversation)(nil)
	_ dissect.Resyncer     = (*conversation)(nil)
)

// Info describes the protocol and its default limits.
func (d Dissector) Info() dissect.Info {
	return dissect.Info{
		Name:       "dns",
		Transport:  capture.Transport(d),
		Ports:      []uint16{53, 5353, 5355},
		ProbeBytes: lengthBytes + headerBytes + maxName + questionBytes,
		Limits: dissect.Limits{
			HeaderBytes: 66 << 10, // a message over TCP is dissected as a whole
			BodyBytes:   64 << 10,
			Outstanding: 1024,
			Age:         20 * 1e9, // servers give up after 10 s and a little, and say so
		},
	}
}

// Probe knows DNS by a message whose header is sane and whose sections are well
// formed. The QR bit tells who asks.
func (d Dissector) Probe(client, server []byte) dissect.Verdict {
	return probe(d == TCP, client, server)
}

// New makes a conversation. Limits that are zero take their default.
func (d Dissector) New(limits dissect.Limits, sink dissect.Sink) dissect.Conversation {
	preset := d.Info().Limits
	limits.Outstanding = cmp.Or(limits.Outstanding, preset.Outstanding)
	limits.Age = cmp.Or(limits.Age, preset.Age)
	return &conversation{stream: d == TCP, limits: limits, sink: sink}
}

// Info is Message.Protocol.
type Info struct {
	Header
	Questions int
	Question  Question // the first one
	// Code is the response code, with the upper bits of EDNS (RFC 6891, section
	// 6.1.3).
	Code uint16
	// Subject is the type and the owner of the first answer, where there is no
	// question.
	Subject string
	// Records are the numbers of the answer, authority and additional sections.
	Records [3]int
	// Answers are the first records of the answer section, as TYPE RDATA.
	Answers []string
	// Addresses are those among Answers.
	Addresses []string
	EDNS      EDNS
	// Retries is how often the query was sent again before its response came.
	Retries int
}

// Question is an entry of the question section (RFC 1035, section 4.1.2). The name
// has no dot at its end, unless it is the root.
type Question struct {
	Name        string
	Type, Class uint16
}

// EDNS is what the OPT record says (RFC 6891).
type EDNS struct {
	Present        bool
	UDPSize        uint16
	DNSSECOK       bool
	ClientSubnet   string   // RFC 7871
	ExtendedErrors []string // RFC 8914
}
