// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/preface"
)

var _ dissect.Prefacer = (*conversation)(nil)

// Preface implements dissect.Prefacer: after CONNECT, calls are with its target (RFC 9110,
// section 9.3.6).
func (c *conversation) Preface() dissect.Preface {
	host, port, err := net.SplitHostPort(c.connected)
	if err != nil {
		return nil
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" {
		return nil
	}
	return &preface.Tunnel{Protocol: "http", Target: dissect.Endpoint{Address: strings.Clone(host), Port: uint16(number)}}
}
