// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	maxRecords  = 1024 // that are looked into
	maxAnswers  = 64   // that are listed
	maxAnswer   = 1024 // bytes of each of them
	maxOptions  = 16   // of EDNS
	flagCut     = "dns.malformed"
	flagRest    = "dns.trailing_bytes"
	flagRepeat  = "dns.duplicate_response"
	flagManyOPT = "dns.multiple_opt"
)

var errMalformed = errors.New("malformed message")

// parsed is a message on its way.
type parsed struct {
	Info
	text  text
	flags []string
	key   uint64    // of the question, 0 without one
	kept  int       // bytes that text is made from
	cut   bool      // the message goes on beyond its bytes
	soa   [2]string // the first and the last answer, where they are SOA records
}

// parse reads a message. limit is how much text is made, and of how many bytes. It
// fails without a header and questions; what can't be read of the records is left
// out.
func parse(b []byte, limit int) (p parsed, err error) {
	if len(b) < headerBytes {
		return p, errMalformed
	}
	n := counts(b)
	p.Header, p.Code = parseHeader(b), parseHeader(b).code()
	p.Questions, p.Records = n[0], [3]int(n[1:])
	p.text.limit = limit
	at, err := p.questions(b)
	if err != nil {
		return p, err
	}
	p.kept = min(at, limit)
	p.records(b, at)
	p.text.finish(&p.Info)
	return p, nil
}

// questions reads the first question and looks over the others.
func (p *parsed) questions(b []byte) (at int, err error) {
	at = headerBytes
	for i := range p.Questions {
		end := skipName(b, at)
		if end < 0 || end+questionBytes > len(b) {
			return 0, errMalformed
		}
		name, _, err := dns.UnpackDomainName(b, at)
		if err != nil {
			return 0, errMalformed
		}
		q := Question{Name: name, Type: binary.BigEndian.Uint16(b[end:]), Class: binary.BigEndian.Uint16(b[end+2:])}
		p.text.question(q)
		if i == 0 {
			p.key = hash(b[at : end+questionBytes])
			p.Question = q
			if name != "." {
				p.Question.Name = strings.TrimSuffix(name, ".")
			}
		}
		at = end + questionBytes
	}
	return at, nil
}

// records reads the records of all sections.
func (p *parsed) records(b []byte, at int) {
	seen := 0
	for section, n := range p.Records {
		for i := range n {
			end := skipRecord(b, at)
			if end < 0 {
				p.cut = end == cut
				p.flag(flagCut)
				return
			}
			first, last := section == 0 && i == 0, section == 0 && i == n-1
			if seen++; seen > maxRecords {
				p.text.cut = true
			}
			if last || p.wants(section) || isOPT(b, at) {
				p.unpack(b[:end], at, section, first, last)
			}
			if at = end; !p.text.cut {
				p.kept = min(at, p.text.limit)
			}
		}
	}
	if at < len(b) {
		p.flag(flagRest)
	}
}

// wants tells whether there is room for one more record: unpacking is what costs.
func (p *parsed) wants(section int) bool {
	return !p.text.cut || section == 0 && len(p.Answers) < maxAnswers
}

// isOPT tells an OPT record, which belongs to the root.
func isOPT(b []byte, at int) bool {
	return b[at] == 0 && binary.BigEndian.Uint16(b[at+1:]) == dns.TypeOPT
}

// unpack reads the record at index at, which is the last one of b. first and last
// tell its place among the answers.
func (p *parsed) unpack(b []byte, at, section int, first, last bool) {
	rr, _, err := dns.UnpackRR(b, at)
	if err != nil {
		p.flag(flagCut)
		return
	}
	if soa, ok := rr.(*dns.SOA); ok && (first || last) {
		text := soa.String()
		if first {
			p.soa[0] = text
		}
		if last {
			p.soa[1] = text
		}
	}
	p.record(section, rr)
}

func (p *parsed) flag(name string) {
	if !slices.Contains(p.flags, name) {
		p.flags = append(p.flags, name)
	}
}

func (p *parsed) record(section int, rr dns.RR) {
	if opt, ok := rr.(*dns.OPT); ok {
		if p.EDNS.Present {
			p.flag(flagManyOPT)
			return
		}
		p.edns(opt)
		return
	}
	data := dataOf(rr)
	p.text.record(section, rr.Header(), data)
	if section != 0 || len(p.Answers) == maxAnswers {
		return
	}
	if p.Questions == 0 && p.Subject == "" {
		p.Subject = dns.Type(rr.Header().Rrtype).String() + " " + strings.TrimSuffix(rr.Header().Name, ".")
	}
	p.Answers = append(p.Answers, dns.Type(rr.Header().Rrtype).String()+" "+strings.Clone(data[:min(len(data), maxAnswer)]))
	switch rr.(type) {
	case *dns.A, *dns.AAAA:
		p.Addresses = append(p.Addresses, strings.Clone(data))
	}
}

// dataOf is a record's data for people.
func dataOf(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.A:
		return rr.A.String()
	case *dns.AAAA:
		return rr.AAAA.String()
	case *dns.CNAME:
		return rr.Target
	}
	return strings.TrimPrefix(rr.String(), rr.Header().String())
}

// edns reads the OPT record (RFC 6891, section 6.1).
func (p *parsed) edns(opt *dns.OPT) {
	p.EDNS.Present, p.EDNS.UDPSize, p.EDNS.DNSSECOK = true, opt.UDPSize(), opt.Do()
	if p.response() {
		p.Code |= uint16(opt.Hdr.Ttl>>24) << 4
	}
	for _, o := range opt.Option[:min(len(opt.Option), maxOptions)] {
		switch o := o.(type) {
		case *dns.EDNS0_SUBNET:
			p.EDNS.ClientSubnet = o.String()
		case *dns.EDNS0_EDE:
			p.EDNS.ExtendedErrors = append(p.EDNS.ExtendedErrors, extendedError(o))
		}
	}
}

// extendedError is the code's name, or its number, and the text (RFC 8914).
func extendedError(e *dns.EDNS0_EDE) string {
	name, ok := dns.ExtendedErrorCodeToString[e.InfoCode]
	if !ok {
		name = "EDE" + itoa(int(e.InfoCode))
	}
	if e.ExtraText == "" {
		return name
	}
	return name + ": " + dissect.Clip(e.ExtraText, maxAnswer)
}

// hash is FNV-1a of a question on the wire, without regard to case (RFC 4343). The
// octets of lengths are no letters.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		h = mix(h, c)
	}
	return h
}

func mix(h uint64, c byte) uint64 { return (h ^ uint64(c)) * 1099511628211 }
