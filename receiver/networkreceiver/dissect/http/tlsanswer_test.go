// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http"
)

// TestTLSAlert: HTTP to a port where TLS is spoken. The server says so.
func TestTLSAlert(t *testing.T) {
	const request = "> \"GET /hello HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n\"\n"
	for name, answer := range map[string]string{
		"at once":   "< hex 15 03 03 00 02 02 16\n",
		"in pieces": "< hex 15\n< hex 03 03 00 02 02\n< hex 16\n",
	} {
		t.Run(name, func(t *testing.T) {
			script, err := dissecttest.Parse(name, []byte(request+answer+"end < fin\nend > fin\n"))
			require.NoError(t, err)
			result := dissecttest.Run(script, http.Dissector{})
			require.Empty(t, result.Problems)
			require.Len(t, result.Exchanges, 1)
			x := result.Exchanges[0]
			require.NotNil(t, x.Response)
			assert.Equal(t, &http.TLSAlert{Code: 22}, x.Response.Protocol)
			s := x.Dissector.Describe(dissect.ClientSide, x.Request, x.Response, nowhere{})
			assert.Equal(t, "tls_alert", s.ErrorType)
			assert.True(t, s.Error)
		})
	}
}

// nowhere takes attributes for nobody.
type nowhere struct{}

func (nowhere) Str(string, string)    {}
func (nowhere) Strs(string, []string) {}
func (nowhere) Int(string, int64)     {}
func (nowhere) Float(string, float64) {}
func (nowhere) Bool(string, bool)     {}

func (nowhere) Payload(string, string, string) {}
