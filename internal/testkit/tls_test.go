// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSClientsAgree makes sure that every client gets through TLS what the server
// says it sent, and sends what it should.
func TestTLSClientsAgree(t *testing.T) {
	c := NewCertificates(t)
	s := GoServerTLS(t, c)
	for _, client := range TLSClients() {
		t.Run(client.Name, func(t *testing.T) {
			name := strings.ReplaceAll(client.Name, " ", "-") // it becomes a part of URIs
			get := client.Call(t, c, "get-"+name, s.URL(), "/bytes/7/70001/text", nil)
			assert.Equal(t, truth.Sum(truth.TextBody(7, 70001)), get.ResponseSHA256)
			assert.Equal(t, http.MethodGet, get.Method)
			checkTLSCall(t, s, get)
			request := truth.BinaryBody(3, 40001)
			post := client.Call(t, c, "post-"+name, s.URL(), "/echo", request)
			assert.Equal(t, http.MethodPost, post.Method)
			assert.Equal(t, len(request), post.ResponseSize)
			assert.Equal(t, post.RequestSHA256, post.ResponseSHA256)
			checkTLSCall(t, s, post)
		})
	}
}

func checkTLSCall(t *testing.T, s *Server, call truth.Call) {
	t.Helper()
	assert.Empty(t, call.Error)
	assert.NotZero(t, call.PID)
	seen, ok := s.TruthOf()[call.Sequence]
	require.True(t, ok, call.Sequence)
	assert.Equal(t, s.PID(), seen.PID)
	seen.PID, call.PID = 0, 0
	assert.Equal(t, seen, call)
}

// TestTLSServersAgree makes sure that every server sends inside TLS what it says.
func TestTLSServersAgree(t *testing.T) {
	c := NewCertificates(t)
	for _, server := range TLSServers() {
		t.Run(server.Name, func(t *testing.T) {
			s := server.Start(t, c)
			for _, http2 := range []bool{false, true} {
				if http2 && !server.HTTP2 || !http2 && !server.HTTP1 {
					continue
				}
				name := map[bool]string{false: "one", true: "two"}[http2]
				calls := Send(t, Load{
					URL: s.URL(), Name: name, Path: "/bytes/7/70001/text", Requests: 2, HTTP2: http2, Authority: c.Authority,
				})
				calls = append(calls, Send(t, Load{
					URL: s.URL(), Name: name + "-echo", Method: "POST", Path: "/echo", Size: 70001, Requests: 1, HTTP2: http2, Authority: c.Authority,
				})...)
				require.Len(t, calls, 3)
				assert.Equal(t, truth.Sum(truth.TextBody(7, 70001)), calls[0].ResponseSHA256)
				for _, call := range calls {
					assert.Empty(t, call.Error)
					said, ok := s.TruthOf()[call.Sequence]
					require.True(t, ok, call.Sequence)
					assert.Equal(t, call.Status, said.Status)
					assert.Equal(t, call.ResponseSize, said.ResponseSize)
				}
			}
		})
	}
}
