// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/http2"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// http2Call is one call as either analyser tells it, with sizes as transferred.
type http2Call struct {
	Stream   uint64 `json:"h2stream"`
	Method   string `json:"method"`
	Path     string `json:"path"`
	Status   string `json:"status"`
	ReqData  uint64 `json:"req_data"`
	RespData uint64 `json:"resp_data"`
}

func (c http2Call) String() string {
	name := strings.TrimSpace(c.Method + " " + short(c.Path))
	if name == "" {
		name = "(no request)"
	}
	status := c.Status
	if status == "" {
		status = "(no status)"
	}
	return fmt.Sprintf("HTTP/2 stream %d, %s %s, %d and %d bytes", c.Stream, name, status, c.ReqData, c.RespData)
}

// http2Oracle gives the HTTP/2 calls that the other analyser has found.
func http2Oracle(t testing.TB, capture string) (calls []http2Call) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), "oracle", filepath.Base(capture)+".jsonl"))
	require.NoError(t, err)
	for line := range bytes.Lines(b) {
		var of struct {
			K     string `json:"k"`
			Proto string `json:"proto"`
		}
		require.NoError(t, json.Unmarshal(line, &of), "%s", line)
		if of.Proto != "http2" || of.K != "call" {
			continue
		}
		var c http2Call
		require.NoError(t, json.Unmarshal(line, &c), "%s", line)
		calls = append(calls, c)
	}
	return calls
}

// http2CallOf tells a call as the oracle does.
func http2CallOf(x *pair.Exchange) (c http2Call) {
	if m := x.Request; m != nil {
		c.Stream, c.ReqData = m.Key, m.Content.BodySize
		if r, ok := m.Protocol.(httpmessage.Requester); ok {
			request := r.HTTPRequest(m)
			c.Method, c.Path = request.Method, request.Raw
		}
	}
	if m := x.Response; m != nil {
		c.Stream, c.RespData = m.Key, m.Content.BodySize
		if r, ok := m.Protocol.(*http2.ResponseInfo); ok && r.Status > 0 {
			c.Status = fmt.Sprint(r.Status)
		}
	}
	return c
}

// compareHTTP2 says what differs, with counts.
func compareHTTP2(oracle, ours []http2Call) (score, map[string]int) {
	s := score{oracle: len(oracle), ours: len(ours)}
	found := map[string]int{}
	left := map[http2Call]int{}
	for _, c := range ours {
		left[c]++
	}
	for _, c := range oracle {
		if left[c] > 0 {
			left[c]--
			s.alike++
			continue
		}
		found["missing: "+c.String()]++
	}
	for c, n := range left {
		if n > 0 {
			found["extra: "+c.String()] += n
		}
	}
	return s, found
}
