// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// Describe follows the semantic conventions' registry of DNS attributes. There is no
// convention for spans of DNS: the name is the operation and its target, of which
// the type of the question is the part of low cardinality.
func (Dissector) Describe(side dissect.Side, req, resp *dissect.Message, out dissect.Attributes) (s dissect.Summary) {
	request, response := infoOf(req), infoOf(resp)
	about := request
	if about == nil {
		about = response
	}
	if about == nil {
		return dissect.Summary{Name: "DNS"}
	}
	describeQuestion(about, out)
	s.Name = about.spanName()
	if request != nil {
		describeRequest(request, out)
	}
	if response != nil {
		describeResponse(response, out)
		s.Status = codeName(response.Code)
		s.Error, s.ErrorType = outcome(side, response.Code)
	}
	if s.ErrorType != "" {
		out.Str("error.type", s.ErrorType)
	}
	return s
}

func infoOf(m *dissect.Message) *Info {
	if m == nil {
		return nil
	}
	info, _ := m.Protocol.(*Info)
	return info
}

func describeQuestion(i *Info, out dissect.Attributes) {
	out.Int("wirespan.dns.id", int64(i.ID))
	out.Str("wirespan.dns.opcode", opcodeName(i.opcode()))
	if i.Questions > 0 {
		out.Str("dns.question.name", i.Question.Name)
		out.Str("wirespan.dns.question.type", dns.Type(i.Question.Type).String())
		out.Str("wirespan.dns.question.class", className(i.Question.Class))
	}
	if i.Questions != 1 {
		out.Int("wirespan.dns.question.count", int64(i.Questions))
	}
}

func describeRequest(i *Info, out dissect.Attributes) {
	if flags := i.flags(); flags != nil {
		out.Strs("wirespan.dns.request.flags", flags)
	}
	if i.Retries > 0 {
		out.Int("wirespan.dns.request.retries", int64(i.Retries))
	}
	if i.EDNS.Present {
		out.Int("wirespan.dns.request.edns.udp_size", int64(i.EDNS.UDPSize))
		out.Bool("wirespan.dns.request.edns.dnssec_ok", i.EDNS.DNSSECOK)
	}
	if i.EDNS.ClientSubnet != "" {
		out.Str("wirespan.dns.request.edns.client_subnet", i.EDNS.ClientSubnet)
	}
}

func describeResponse(i *Info, out dissect.Attributes) {
	out.Str("wirespan.dns.response.code", codeName(i.Code))
	if flags := i.flags(); flags != nil {
		out.Strs("wirespan.dns.response.flags", flags)
	}
	if i.Addresses != nil {
		out.Strs("dns.answers", i.Addresses)
	}
	if i.Answers != nil {
		out.Strs("wirespan.dns.response.answers", i.Answers)
	}
	out.Int("wirespan.dns.response.answer_count", int64(i.Records[0]))
	out.Int("wirespan.dns.response.authority_count", int64(i.Records[1]))
	out.Int("wirespan.dns.response.additional_count", int64(i.Records[2]))
	if i.EDNS.Present {
		out.Int("wirespan.dns.response.edns.udp_size", int64(i.EDNS.UDPSize))
	}
	if i.EDNS.ClientSubnet != "" {
		out.Str("wirespan.dns.response.edns.client_subnet", i.EDNS.ClientSubnet)
	}
	if i.EDNS.ExtendedErrors != nil {
		out.Strs("wirespan.dns.response.edns.extended_errors", i.EDNS.ExtendedErrors)
	}
}

// spanName is opcode and type, where the type is a registered one.
func (i *Info) spanName() string {
	name := "DNS"
	if known, ok := dns.OpcodeToString[i.opcode()]; ok {
		name = strings.ToLower(known)
	}
	if i.Questions == 0 {
		if i.response() {
			return "announce"
		}
		return name
	}
	if !knownType(i.Question.Type) {
		return name
	}
	return name + " " + dns.Type(i.Question.Type).String()
}

// outcome is the error that a response code stands for, named as resolvers' errors
// are (getaddrinfo's and gethostbyname's). The conventions for HTTP are the model: a
// name that does not exist is the client's problem, not the server's.
func outcome(side dissect.Side, code uint16) (failed bool, kind string) {
	switch code {
	case dns.RcodeSuccess:
		return false, ""
	case dns.RcodeServerFailure:
		return true, "try_again"
	case dns.RcodeNameError:
		kind = "host_not_found"
	default:
		kind = "no_recovery"
	}
	if side == dissect.ServerSide && code != dns.RcodeNotImplemented {
		return false, ""
	}
	return true, kind
}
