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

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dns"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// dnsCall is one DNS call as either analyser tells it.
type dnsCall struct {
	client, server string
	transport      string
	id             uint16
	name           string
	kind           uint16
	code, answers  int // -1 without a response
	request        bool
}

// String leaves out who called: deviations are counted by kind.
func (c dnsCall) String() string {
	s := fmt.Sprintf("DNS over %s, %q type %d", c.transport, c.name, c.kind)
	if !c.request {
		s += " (no request)"
	}
	if c.code < 0 {
		return s + " (no response)"
	}
	return fmt.Sprintf("%s code %d, %d answers", s, c.code, c.answers)
}

// dnsOracle gives the DNS calls that the other analyser has found.
func dnsOracle(t testing.TB, file string) (calls []dnsCall) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), "oracle", filepath.Base(file)+".jsonl"))
	require.NoError(t, err)
	for line := range bytes.Lines(b) {
		var o struct {
			K, Proto       string
			Client, Server string
			Src, Dst       string
			L4             string
			ID             uint16
			Q              []struct {
				Name string
				Type uint16
			}
			Rcode   *int
			Answers int
		}
		if !bytes.Contains(line, []byte(`"dns"`)) {
			continue
		}
		require.NoError(t, json.Unmarshal(line, &o), "%s", line)
		c := dnsCall{client: o.Client, server: o.Server, transport: o.L4, id: o.ID, code: -1, answers: -1, request: o.K == "call"}
		if o.K == "msg" {
			c.client, c.server = o.Dst, o.Src
		}
		if len(o.Q) > 0 {
			c.name, c.kind = strings.TrimPrefix(o.Q[0].Name, "<Root>"), o.Q[0].Type
		}
		if o.Rcode != nil {
			c.code, c.answers = *o.Rcode, o.Answers
		}
		calls = append(calls, c)
	}
	return calls
}

// dnsCallOf is what Wirespan tells.
func dnsCallOf(x *pair.Exchange, client, server string) dnsCall {
	c := dnsCall{client: client, server: server, transport: "tcp", code: -1, answers: -1, request: x.Request != nil}
	if x.Conn.Transport == capture.UDP {
		c.transport = "udp"
	}
	question := func(i *dns.Info) {
		c.id, c.kind = i.ID, i.Question.Type
		if c.name = i.Question.Name; c.name == "." {
			c.name = ""
		}
	}
	if x.Response != nil {
		info := x.Response.Protocol.(*dns.Info)
		question(info)
		c.code, c.answers = int(info.Header.Bits&15), info.Records[0]
	}
	if x.Request != nil {
		question(x.Request.Protocol.(*dns.Info))
	}
	return c
}

// compareDNS says which calls only one of the analysers tells.
func compareDNS(oracle, ours []dnsCall) (score, map[string]int) {
	s := score{oracle: len(oracle), ours: len(ours)}
	left := map[dnsCall]int{}
	for _, c := range ours {
		left[c]++
	}
	found := map[string]int{}
	for _, o := range oracle {
		if left[o] > 0 {
			left[o]--
			s.alike++
		} else {
			found["missing: "+o.String()]++
		}
	}
	for c, n := range left {
		if n > 0 {
			found["extra: "+c.String()] += n
		}
	}
	return s, found
}
