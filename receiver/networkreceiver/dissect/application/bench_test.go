// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package application

import (
	"strings"
	"testing"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/httpmessage"
)

// discard takes attributes and forgets them.
type discard struct{}

func (discard) Str(string, string)    {}
func (discard) Strs(string, []string) {}
func (discard) Int(string, int64)     {}
func (discard) Float(string, float64) {}
func (discard) Bool(string, bool)     {}

func (discard) Payload(string, string, string) {}

// call is a call with JSON in both directions.
func call(method, path, request, response string) (*httpmessage.Request, *httpmessage.Response) {
	message := func(d dissect.Direction, body string) *dissect.Message {
		return &dissect.Message{Direction: d, Content: dissect.Content{
			Headers: []dissect.Header{{Name: "Host", Value: "shop.example"}, {Name: "Content-Type", Value: "application/json"}},
			Body:    []byte(body), MediaType: "application/json",
		}}
	}
	target := httpmessage.ParseTarget(method, path)
	target.Scheme, target.Authority = "http", "shop.example"
	return &httpmessage.Request{Method: method, Target: target, Version: "1.1", Message: message(dissect.ToServer, request)},
		&httpmessage.Response{Status: 200, Reason: "OK", Version: "1.1", Message: message(dissect.ToClient, response)}
}

// BenchmarkDescribe compares calls that are of no protocol here with what HTTP alone
// takes for them, and tells what the others take.
func BenchmarkDescribe(b *testing.B) {
	order := `{"user_id":12345,"items":[` + strings.TrimSuffix(strings.Repeat(`{"sku":"tea","n":2},`, 45), ",") + `]}`
	for _, c := range []struct{ name, method, path, request, response string }{
		{"GET", "GET", "/orders/7?currency=EUR", "", order},
		{"POST 1 KiB", "POST", "/orders", order, order},
		{"POST 1 MiB", "POST", "/orders", `{"text":"` + strings.Repeat("lorem ipsum ", 1<<20/12) + `"}`, order},
		{"GraphQL", "POST", "/graphql", `{"query":"query Who($id: ID!) { user(id: $id) { name orders { id total } } }","variables":{"id":"7"}}`, `{"data":{"user":{"name":"ann","orders":[]}}}`},
		{"JSON-RPC", "POST", "/rpc", `{"jsonrpc":"2.0","id":1,"method":"add","params":[1,2]}`, `{"jsonrpc":"2.0","id":1,"result":3}`},
		{"chat", "POST", "/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, `{"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`},
	} {
		req, resp := call(c.method, c.path, c.request, c.response)
		b.Run(c.name+"/HTTP alone", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				httpmessage.Describe(dissect.ClientSide, req, resp, discard{})
			}
		})
		b.Run(c.name+"/with applications", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				everything.Describe(dissect.ClientSide, req, resp, discard{})
			}
		})
	}
}

// TestOtherCallsCostNothing: what is of no protocol here is not read, nor copied.
func TestOtherCallsCostNothing(t *testing.T) {
	for _, c := range [][3]string{{"GET", "/orders?id=7", ""}, {"POST", "/orders", `{"user_id":12345,"search":"query"}`}, {"DELETE", "/orders/7", ""}} {
		req, resp := call(c[0], c[1], c[2], `{"ok":true}`)
		alone := testing.AllocsPerRun(100, func() { httpmessage.Describe(dissect.ClientSide, req, resp, discard{}) })
		with := testing.AllocsPerRun(100, func() { everything.Describe(dissect.ClientSide, req, resp, discard{}) })
		if with > alone {
			t.Errorf("%s %s: %v allocations, HTTP alone has %v", c[0], c[1], with, alone)
		}
	}
}
