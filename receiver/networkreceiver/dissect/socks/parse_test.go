// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package socks

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestProbe(t *testing.T) {
	const connect4 = "\x04\x01\x00\x50\xc0\x00\x02\x07"
	for name, test := range map[string]struct {
		client, server string
		want           dissect.Verdict
	}{
		"nothing":                       {"", "", dissect.No},
		"one method":                    {"\x05\x01\x00", "", dissect.Yes},
		"of the other end":              {"", "\x05\x01\x00", dissect.Reversed},
		"a beginning":                   {"\x05", "", dissect.NeedMore},
		"not all methods":               {"\x05\x03\x00\x01", "", dissect.NeedMore},
		"a method twice":                {"\x05\x02\x00\x00", "", dissect.No},
		"no methods":                    {"\x05\x00", "", dissect.No},
		"too many methods":              {"\x05\x20\x00", "", dissect.No},
		"a method nobody knows":         {"\x05\x01\x30", "", dissect.No},
		"with an answer":                {"\x05\x01\x00", "\x05\x00", dissect.Yes},
		"with another answer":           {"\x05\x01\x00", "HTTP/1.1 200", dissect.No},
		"with a request":                {"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x50", "", dissect.Yes},
		"with a password":               {"\x05\x01\x02\x01\x01a\x01b", "", dissect.Yes},
		"with something else":           {"\x05\x01\x00GET", "", dissect.No},
		"CQL, version 5":                {"\x05\x00\x00\x00\x05\x00\x00\x00\x00", "", dissect.No},
		"version 4":                     {connect4 + "\x00", "", dissect.Yes},
		"version 4 with a user id":      {connect4 + "alice\x00", "", dissect.Yes},
		"version 4, the user id begins": {connect4 + "ali", "", dissect.NeedMore},
		"version 4, a long user id":     {connect4 + strings.Repeat("a", 256), "", dissect.No},
		"version 4, a strange user id":  {connect4 + "\x80\x00", "", dissect.No},
		"version 4, no port":            {"\x04\x01\x00\x00\xc0\x00\x02\x07\x00", "", dissect.No},
		"version 4, another command":    {"\x04\x03\x00\x50", "", dissect.No},
		"version 4 with another answer": {connect4 + "\x00", "\x04\x01", dissect.No},
		"version 4, no address":         {"\x04\x01\x00\x50\x00\x00\x00\x00\x00", "", dissect.No},
		"version 4A":                    {"\x04\x01\x00\x50\x00\x00\x00\x01\x00shop.example\x00", "", dissect.Yes},
		"version 4A, the name begins":   {"\x04\x01\x00\x50\x00\x00\x00\x01\x00shop", "", dissect.NeedMore},
		"version 4A, no name":           {"\x04\x01\x00\x50\x00\x00\x00\x01\x00\x00", "", dissect.No},
		"CQL, version 4":                {"\x04\x01\x00\x00\x05\x00\x00\x00\x00", "", dissect.No},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Dissector{}.Probe([]byte(test.client), []byte(test.server)))
		})
	}
}

// No text of a user id or password is kept.
func TestPasswordIsNotRead(t *testing.T) {
	const message = "\x01\x05alice\x06secret"
	for n := 1; n < len(message); n++ {
		need, verdict := parsePassword([]byte(message[:n]))
		assert.Equal(t, dissect.NeedMore, verdict)
		assert.Greater(t, need, n)
	}
	n, verdict := parsePassword([]byte(message + "more"))
	assert.Equal(t, dissect.Yes, verdict)
	assert.Equal(t, len(message), n)
}
