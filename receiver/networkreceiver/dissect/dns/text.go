// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// text writes a message for people, a record in a line, much as dig does:
//
//	;; QUERY NOERROR id 4711 rd ra
//	;www.example.com. IN A
//	www.example.com. 300 IN A 192.0.2.1
//	;; authority
//	example.com. 300 IN NS ns.example.com.
//	;; EDNS udp 1232 do
type text struct {
	head    []byte // opcode, code, id and flags; known at the end
	lines   []byte
	section int
	limit   int
	cut     bool // the limit was met
}

const usualText = 256

// line adds a line, if there is room for the whole of it.
func (t *text) line(parts ...string) {
	n := 1
	for _, part := range parts {
		n += len(part)
	}
	if t.cut || len(t.lines)+n > t.limit {
		t.cut = true
		return
	}
	if t.lines == nil {
		t.lines = make([]byte, 0, usualText)
	}
	for _, part := range parts {
		t.lines = append(t.lines, part...)
	}
	t.lines = append(t.lines, '\n')
}

func (t *text) question(q Question) {
	t.line(";", q.Name, " ", className(q.Class), " ", dns.Type(q.Type).String())
}

var sections = [...]string{"answer", "authority", "additional"}

func (t *text) record(section int, h *dns.RR_Header, data string) {
	if t.section != section {
		t.section = section
		t.line(";; ", sections[section])
	}
	t.line(h.Name, " ", strconv.FormatUint(uint64(h.Ttl), 10), " ", className(h.Class), " ", dns.Type(h.Rrtype).String(), " ", data)
}

// finish adds what is known only when all is read.
func (t *text) finish(i *Info) {
	t.edns(i)
	head := append(make([]byte, 0, 64), ";; "...)
	head = append(head, opcodeName(i.opcode())...)
	if i.response() {
		head = append(append(head, ' '), codeName(i.Code)...)
	}
	head = strconv.AppendUint(append(head, " id "...), uint64(i.ID), 10)
	for _, flag := range i.flags() {
		head = append(append(head, ' '), flag...)
	}
	head = append(head, '\n')
	t.head = head
}

func (t *text) edns(i *Info) {
	if !i.EDNS.Present {
		return
	}
	parts := []string{";; EDNS udp ", itoa(int(i.EDNS.UDPSize))}
	if i.EDNS.DNSSECOK {
		parts = append(parts, " do")
	}
	if i.EDNS.ClientSubnet != "" {
		parts = append(parts, " client-subnet ", i.EDNS.ClientSubnet)
	}
	t.line(parts...)
	for _, e := range i.EDNS.ExtendedErrors {
		t.line(";; ", e)
	}
}

func (t *text) len() int { return len(t.head) + len(t.lines) }

// bytes joins head and lines, at most limit of them, without the last line's end.
func (t *text) bytes() []byte {
	if t.len() > t.limit {
		t.cut = true
		if len(t.head) > t.limit {
			return nil
		}
		t.lines = wholeLines(t.lines[:t.limit-len(t.head)])
	}
	all := append(append(make([]byte, 0, t.len()), t.head...), t.lines...)
	return all[:len(all)-1]
}

func wholeLines(b []byte) []byte { return b[:strings.LastIndexByte(string(b), '\n')+1] }

func itoa(n int) string { return strconv.Itoa(n) }

// className leaves out the bits that multicast DNS has added (RFC 6762, sections
// 5.4 and 10.2).
func className(class uint16) string {
	if knownClass(class & classMask) {
		class &= classMask
	}
	return dns.Class(class).String()
}

func opcodeName(opcode int) string {
	if name, ok := dns.OpcodeToString[opcode]; ok {
		return name
	}
	return "OPCODE" + itoa(opcode)
}

func codeName(code uint16) string {
	if name, ok := dns.RcodeToString[int(code)]; ok {
		return name
	}
	return "RCODE" + itoa(int(code))
}
