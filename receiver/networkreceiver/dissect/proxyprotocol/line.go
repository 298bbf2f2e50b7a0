// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package proxyprotocol

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// maxLine is the longest line of version 1, with CRLF (section 2.1).
const maxLine = 107

const linePrefix = "PROXY "

// parseLine parses a header of version 1 and returns its length. With NeedMore it is 0:
// any more bytes may do.
func parseLine(b []byte) (*header, int, dissect.Verdict) {
	n := min(len(b), len(linePrefix))
	if n == 0 || string(b[:n]) != linePrefix[:n] {
		return nil, 0, dissect.No
	}
	line := b[:min(len(b), maxLine)]
	end := bytes.Index(line, []byte("\r\n"))
	switch {
	case end < 0 && len(line) < maxLine:
		return nil, 0, dissect.NeedMore
	case end < 0:
		return nil, 0, dissect.No
	}
	h := &header{version: 1}
	if !h.parseAddresses(string(line[len(linePrefix):end])) {
		return nil, 0, dissect.No
	}
	return h, end + 2, dissect.Yes
}

// parseAddresses parses what follows "PROXY ". After UNKNOWN anything is ignored.
func (h *header) parseAddresses(text string) bool {
	words := strings.Split(text, " ")
	if words[0] == "UNKNOWN" {
		return true
	}
	if len(words) != 5 || words[0] != "TCP4" && words[0] != "TCP6" {
		return false
	}
	ok := true
	endpoint := func(address, port string) dissect.Endpoint {
		a, err := netip.ParseAddr(address)
		p, portErr := strconv.ParseUint(port, 10, 16)
		ok = ok && err == nil && portErr == nil && a.Zone() == "" && a.Is4() == (words[0] == "TCP4")
		return dissect.Endpoint{Address: a.Unmap().String(), Port: uint16(p)}
	}
	h.client, h.destination = endpoint(words[1], words[3]), endpoint(words[2], words[4])
	return ok
}
