// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package tls

import (
	"bytes"
	"encoding/binary"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/record"
)

// Some protocols begin in the clear and go on in TLS. Until they have a dissector of
// their own, their beginnings are recognised here.

var (
	// sslRequest is PostgreSQL's (Message Formats, SSLRequest).
	sslRequest = []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}
	// startTLS is the name of LDAP's request (RFC 4511, section 4.14).
	startTLS = []byte("1.3.6.1.4.1.1466.20037")
	// greetings of SMTP and FTP, IMAP, POP3.
	greetings = [][]byte{[]byte("220"), []byte("* OK"), []byte("+OK")}
	// commands that ask for TLS (RFC 3207, RFC 9051, RFC 2595, RFC 4217).
	commands = [][]byte{[]byte("STARTTLS"), []byte("STLS"), []byte("AUTH TLS"), []byte("AUTH SSL")}
)

// probeUpgrade tells whether a connection begins in the clear and goes on in TLS.
func probeUpgrade(client, server []byte) dissect.Verdict {
	forward, backward := probeClear(client, server), probeClear(server, client)
	switch {
	case forward == dissect.Yes:
		return dissect.Yes
	case backward == dissect.Yes:
		return dissect.Reversed
	}
	return max(forward, backward)
}

func probeClear(client, server []byte) dissect.Verdict {
	if n := min(len(client), len(sslRequest)); n > 0 && bytes.Equal(client[:n], sslRequest[:n]) {
		return enough(n == len(sslRequest))
	}
	if len(client) > 1 && client[0] == 0x30 && bytes.Contains(client[:min(len(client), 64)], startTLS) {
		return dissect.Yes
	}
	if isMySQL(server) {
		return probeMySQL(client)
	}
	for _, greeting := range greetings {
		n := min(len(server), len(greeting))
		if n > 0 && bytes.Equal(server[:n], greeting[:n]) && len(server) <= handshake.ProbeBytes {
			return enough(asksForTLS(client))
		}
	}
	return dissect.No
}

func enough(whole bool) dissect.Verdict {
	if whole {
		return dissect.Yes
	}
	return dissect.NeedMore
}

// asksForTLS looks for a line that is a command for TLS, maybe after a tag.
func asksForTLS(b []byte) bool {
	for len(b) > 0 {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			return false
		}
		line = bytes.TrimRight(line, "\r ")
		if _, after, tagged := bytes.Cut(line, []byte(" ")); tagged && !bytes.EqualFold(line[:min(4, len(line))], []byte("AUTH")) {
			line = after
		}
		for _, command := range commands {
			if bytes.EqualFold(line, command) {
				return true
			}
		}
		b = rest
	}
	return false
}

// isMySQL tells whether a server begins with the handshake of MySQL's protocol, version
// 10.
func isMySQL(b []byte) bool {
	const smallest = 32
	return len(b) > smallest && int(b[0])|int(b[1])<<8|int(b[2])<<16 >= smallest && b[2] == 0 && b[3] == 0 && b[4] == 10 &&
		b[5] >= '0' && b[5] <= '9' && bytes.IndexByte(b[5:smallest], 0) > 0
}

// probeMySQL tells whether a client answers with an SSLRequest: a response that ends
// before the user's name.
func probeMySQL(b []byte) dissect.Verdict {
	const size, clientSSL = 32, 1 << 11
	head := [...]byte{size, 0, 0, 1}
	n := min(len(b), len(head))
	if !bytes.Equal(b[:n], head[:n]) {
		return dissect.No
	}
	if len(b) < 8 {
		return dissect.NeedMore
	}
	if binary.LittleEndian.Uint32(b[4:])&clientSSL == 0 {
		return dissect.No
	}
	return dissect.Yes
}

// beforeTLS takes bytes of a direction before its first record: it returns how many of
// them are in the clear, and false if there have to be more of them to tell.
func (c *conversation) beforeTLS(d dissect.Direction, b []byte) (used int, ok bool) {
	if b[0] >= record.ChangeCipherSpec && b[0] <= record.ApplicationData && (len(b) < 2 || b[1] == 3) {
		return 0, true
	}
	used, ok = c.clear(d, b)
	if used > 0 {
		c.clears = true
		c.opaque += uint64(used)
	}
	return used, ok
}

// clear is the length of a message in the clear, 0 if b begins with none.
func (c *conversation) clear(d dissect.Direction, b []byte) (n int, ok bool) {
	switch {
	case d == toServer && bytes.HasPrefix(sslRequest, b[:min(len(b), len(sslRequest))]):
		return whole(b, len(sslRequest))
	case d == toClient && c.clears && len(b) == 1 && b[0] == 'S': // PostgreSQL's "yes"
		return 1, true
	case d == toClient && isMySQL(b), d == toServer && probeMySQL(b) == dissect.Yes:
		return whole(b, 4+int(b[0])|int(b[1])<<8)
	case b[0] == 0x30 && len(b) > 2 && b[1] < 0x80:
		return whole(b, 2+int(b[1]))
	case b[0] >= ' ' && b[0] <= '~' || b[0] == '\r' || b[0] == '\n':
		end := bytes.IndexByte(b, '\n')
		return whole(b, max(end+1, 0))
	}
	return 0, true
}

func whole(b []byte, n int) (int, bool) {
	if n == 0 || n > len(b) {
		return 0, false
	}
	return n, true
}
