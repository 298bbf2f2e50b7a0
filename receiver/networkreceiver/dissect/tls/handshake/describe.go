// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// Describe describes a handshake, or an alert after it, by the conventions' tls.* attributes; what they have no
// name for is below wirespan.tls.
func Describe(_ dissect.Side, req, resp *dissect.Message, to dissect.Attributes) (s dissect.Summary) {
	out := Optional{to}
	for _, m := range [...]*dissect.Message{req, resp} {
		if m == nil {
			continue
		}
		if a, ok := m.Protocol.(*Alert); ok {
			return describeAlert(a, out)
		}
	}
	s.Name = "TLS handshake"
	if req != nil {
		if hello, ok := req.Protocol.(*ClientHello); ok {
			hello.describe(out)
			if hello.QUIC {
				s.Name = "QUIC handshake"
			}
		}
	}
	if resp != nil {
		if o, ok := resp.Protocol.(*Outcome); ok {
			if o.QUIC && req == nil {
				s.Name = "QUIC handshake"
				out.Str("network.protocol.name", "quic")
			}
			o.describe(out, &s)
		}
	}
	return s
}

func describeAlert(a *Alert, out Optional) dissect.Summary {
	out.Str("wirespan.tls.alert", a.Description)
	out.Str("wirespan.tls.alert.by", a.By)
	return dissect.Summary{Name: "TLS alert", Status: "alert from the " + a.By, Error: true, ErrorType: a.Description}
}

func (h *ClientHello) describe(out Optional) {
	if h.QUIC {
		out.Str("network.protocol.name", "quic")
		version := "1"
		if h.QUICv2 {
			version = "2"
		}
		out.Str("network.protocol.version", version)
	}
	out.Str("server.address", h.ServerName)
	out.Str("tls.client.ja3", h.JA3)
	out.Str("wirespan.tls.client.ja4", h.JA4)
	out.Strs("tls.client.supported_ciphers", eachName(h.Ciphers, suiteName))
	out.Strs("wirespan.tls.client.alpn", h.ALPN)
	out.Strs("wirespan.tls.client.versions", eachName(h.Versions, fullVersion))
	out.Strs("wirespan.tls.client.groups", eachName(h.Groups, groupName))
	if h.EarlyData {
		out.Bool("wirespan.tls.client.early_data", true)
	}
}

func (o *Outcome) describe(out Optional, s *dissect.Summary) {
	DescribeSession(o.Version, o.Cipher, o.Group, o.ALPN, out)
	out.Str("tls.server.ja3s", o.JA3S)
	out.Bool("tls.established", o.Established)
	if o.Established || o.Resumed {
		out.Bool("tls.resumed", o.Resumed)
	}
	if o.Retried {
		out.Bool("wirespan.tls.retried", true)
	}
	if o.AsksClient {
		out.Bool("wirespan.tls.client.certificate_requested", true)
	}
	o.Server.describeServer(out)
	o.Client.describeClient(out)
	out.Str("wirespan.tls.alert", o.Alert)
	out.Str("wirespan.tls.alert.by", o.AlertBy)
	if o.Failure == "" {
		return
	}
	s.Error, s.ErrorType = true, o.Failure
	if o.AlertBy != "" {
		s.Status = "alert from the " + o.AlertBy
	}
	out.Str("error.type", o.Failure)
}

// DescribeSession describes what was agreed on.
func DescribeSession(version, cipher, group uint16, alpn string, out Optional) {
	if version == 0 {
		return
	}
	name, number := "tls", versionNumber(version)
	if version <= record.SSL30 {
		name = "ssl"
	}
	out.Str("tls.protocol.name", name)
	out.Str("tls.protocol.version", number)
	out.Str("tls.cipher", suiteName(cipher))
	if group != 0 {
		out.Str("tls.curve", groupName(group))
	}
	out.Str("tls.next_protocol", alpn)
}

func (c *Chain) describeServer(out Optional) {
	if c.Length == 0 {
		return
	}
	out.Int("wirespan.tls.server.chain.length", int64(c.Length))
	out.Str("tls.server.hash.sha256", c.SHA256)
	out.Str("tls.server.subject", c.Subject)
	out.Str("tls.server.issuer", c.Issuer)
	out.Str("tls.server.not_before", date(c.NotBefore))
	out.Str("tls.server.not_after", date(c.NotAfter))
	out.Strs("wirespan.tls.server.names", c.Names)
	out.Strs("wirespan.tls.server.chain.subjects", c.Subjects)
}

func (c *Chain) describeClient(out Optional) {
	if c.Length == 0 {
		return
	}
	out.Int("wirespan.tls.client.chain.length", int64(c.Length))
	out.Str("tls.client.hash.sha256", c.SHA256)
	out.Str("tls.client.subject", c.Subject)
	out.Str("tls.client.issuer", c.Issuer)
	out.Str("tls.client.not_before", date(c.NotBefore))
	out.Str("tls.client.not_after", date(c.NotAfter))
	out.Strs("wirespan.tls.client.names", c.Names)
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// Optional leaves out what is empty.
type Optional struct{ dissect.Attributes }

// Str implements dissect.Attributes.
func (o Optional) Str(key, value string) {
	if value != "" {
		o.Attributes.Str(key, value)
	}
}

// Strs implements dissect.Attributes.
func (o Optional) Strs(key string, values []string) {
	if len(values) > 0 {
		o.Attributes.Strs(key, values)
	}
}

func eachName(list []uint16, name func(uint16) string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = name(v)
	}
	return out
}

// versionNumber is tls.protocol.version: "1.3".
func versionNumber(v uint16) string {
	switch {
	case v == record.SSL30:
		return "3"
	case v > record.SSL30 && v <= record.TLS13:
		return fmt.Sprintf("1.%d", v-record.TLS10)
	}
	return fmt.Sprintf("0x%04x", v)
}

func fullVersion(v uint16) string {
	if v > record.SSL30 && v <= record.TLS13 {
		return "TLS " + versionNumber(v)
	}
	return tls.VersionName(v)
}

// groups are IANA's names (TLS Supported Groups).
var groups = map[uint16]string{
	23: "secp256r1", 24: "secp384r1", 25: "secp521r1", 29: "x25519", 30: "x448",
	256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096", 259: "ffdhe6144", 260: "ffdhe8192",
	4587: "SecP256r1MLKEM768", 4588: "X25519MLKEM768", 4589: "SecP384r1MLKEM1024",
}

func groupName(v uint16) string {
	if name, ok := groups[v]; ok {
		return name
	}
	return fmt.Sprintf("0x%04x", v)
}
