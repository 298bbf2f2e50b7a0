// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "github.com/wirespan/wirespan/receiver/networkreceiver/dissect"

// ends are the ends of a call behind the proxies that say so.
type ends struct{ client, server dissect.Endpoint }

// endsBehind returns the ends of the call behind the proxies. The last that tells is the
// farthest: each proxy adds its preface before those that it passes on.
func (c *call) endsBehind() (behind ends) {
	for _, p := range c.Prefaces {
		client, server := p.Ends()
		if client.Address != "" {
			behind.client = client
		}
		if server.Address != "" {
			behind.server = server
		}
	}
	return behind
}

// describePrefaces tells what came before the call on its connection, the last first: of
// two of a kind it is the farthest that counts.
func (c *call) describePrefaces(m *attributes) {
	for i := len(c.Prefaces) - 1; i >= 0; i-- {
		c.Prefaces[i].DescribePreface(absent{m})
	}
}

// absent adds the attributes that are not there yet.
type absent struct{ *attributes }

// Str implements dissect.Attributes.
func (a absent) Str(key, value string) {
	if !a.has(key) {
		a.attributes.Str(key, value)
	}
}

// Int implements dissect.Attributes.
func (a absent) Int(key string, value int64) {
	if !a.has(key) {
		a.attributes.Int(key, value)
	}
}

// Bool implements dissect.Attributes.
func (a absent) Bool(key string, value bool) {
	if !a.has(key) {
		a.attributes.Bool(key, value)
	}
}

// addEndpoint adds an end that a proxy names.
func (a *attributes) addEndpoint(addressKey, portKey string, e dissect.Endpoint) {
	a.str(addressKey, e.Address)
	if e.Port != 0 {
		a.Int(portKey, int64(e.Port))
	}
}
