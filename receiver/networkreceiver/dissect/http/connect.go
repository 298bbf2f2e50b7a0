// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http

import (
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/preface"
)

var _ dissect.Prefacer = (*conversation)(nil)

// Preface implements dissect.Prefacer: after CONNECT, calls are with its target (RFC 9110,
// section 9.3.6).
func (c *conversation) Preface() dissect.Preface {
	target, ok := httpmessage.ParseTarget("CONNECT", c.connected).Endpoint()
	if !ok {
		return nil
	}
	target.Address = strings.Clone(target.Address)
	return &preface.Tunnel{Protocol: "http", Target: target}
}
