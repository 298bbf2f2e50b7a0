// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package socks

import (
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/preface"
)

// granted4 and granted5 are the codes of success.
const (
	granted4 = 90
	granted5 = 0
)

// failure4 names the code of a reply of version 4; empty for success.
func failure4(code byte) string {
	switch code {
	case granted4:
		return ""
	case 92:
		return "identd_unreachable"
	case 93:
		return "identd_mismatch"
	}
	return "rejected"
}

// failure5 names the code of a reply of version 5 (RFC 1928, section 6).
func failure5(code byte) string {
	names := [...]string{
		granted5: "", 1: "general_failure", 2: "not_allowed", 3: "network_unreachable", 4: "host_unreachable",
		5: "connection_refused", 6: "ttl_expired", 7: "command_not_supported", 8: "address_type_not_supported",
	}
	if int(code) < len(names) {
		return names[code]
	}
	return "_OTHER"
}

// methodName names a method of authentication (RFC 1928, section 3).
func methodName(method byte) string {
	switch method {
	case methodNone:
		return "none"
	case methodGSSAPI:
		return "gssapi"
	case methodPassword:
		return "password"
	case noMethod:
		return ""
	}
	return "other"
}

func commandName(command byte) string {
	switch command {
	case commandConnect:
		return "CONNECT"
	case commandBind:
		return "BIND"
	case commandUDPAssociate:
		return "UDP ASSOCIATE"
	}
	return ""
}

// Describe tells a handshake. No user id, user name or password is told.
func (Dissector) Describe(_ dissect.Side, req, resp *dissect.Message, out dissect.Attributes) dissect.Summary {
	s := dissect.Summary{Name: "SOCKS"}
	version := ""
	if info, ok := protocolOf[requestInfo](req); ok {
		version = info.version
		if name := commandName(info.command); name != "" {
			s.Name = name
			out.Str("wirespan.socks.command", name)
		}
		if info.method != "" {
			out.Str("wirespan.socks.authentication", info.method)
		}
		preface.DescribeTarget(info.target, out)
	}
	if info, ok := protocolOf[responseInfo](resp); ok {
		version = info.version
		if info.code >= 0 {
			out.Int("wirespan.socks.reply.code", int64(info.code))
		}
		if info.failure == "" && info.bound.Port != 0 {
			out.Str("wirespan.socks.bound.address", info.bound.Address)
			out.Int("wirespan.socks.bound.port", int64(info.bound.Port))
		}
		s.Error, s.ErrorType = info.failure != "", info.failure
	}
	if version != "" {
		out.Str("network.protocol.version", version)
	}
	return s
}

func protocolOf[T any](m *dissect.Message) (info *T, ok bool) {
	if m == nil {
		return nil, false
	}
	info, ok = m.Protocol.(*T)
	return info, ok
}
