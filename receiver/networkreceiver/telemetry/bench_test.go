// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// discard drops batches.
type discard struct{}

func (discard) Traces(Class, ptrace.Traces, int) {}
func (discard) Logs(Class, plog.Logs, int)       {}

// typical is a GET with usual headers and 1 KiB of JSON in return.
func typical() *pair.Exchange {
	x := get()
	x.Request.Content = dissect.Content{Headers: []dissect.Header{
		{Name: "Host", Value: "shop.example"},
		{Name: "User-Agent", Value: "curl/8.5.0"},
		{Name: "Accept", Value: "*/*"},
		{Name: "Accept-Encoding", Value: "gzip, deflate, br"},
		{Name: "Authorization", Value: "Bearer abc"},
		{Name: "Connection", Value: "keep-alive"},
	}}
	body := `{"items":[` + strings.Repeat(`{"id":12345,"name":"thing","price":9.99},`, 25)[:1012] + `]}`
	x.Response.Content = dissect.Content{
		Headers: []dissect.Header{
			{Name: "Content-Type", Value: "application/json"},
			{Name: "Content-Length", Value: "1024"},
			{Name: "Date", Value: "Tue, 14 Nov 2023 22:13:20 GMT"},
			{Name: "Server", Value: "nginx"},
			{Name: "Cache-Control", Value: "no-store"},
		},
		Body: []byte(body), MediaType: "application/json", BodySize: uint64(len(body)), KeptSize: uint64(len(body)),
	}
	return x
}

func BenchmarkExchange(b *testing.B) {
	for name, change := range map[string]func(*Settings){
		"traces":          func(s *Settings) { s.Logs = false },
		"logs":            func(s *Settings) { s.Traces = false },
		"traces and logs": func(*Settings) {},
		"no redaction":    func(s *Settings) { s.Redaction.Headers, s.Redaction.URLs, s.Redaction.Bodies = false, false, false },
		"no payload":      func(s *Settings) { s.Payload.Enabled = false },
	} {
		b.Run(name, func(b *testing.B) {
			builder := New(testSettings(change), nil, discard{}, &Stats{})
			x := typical()
			b.ReportAllocs()
			for b.Loop() {
				builder.Exchange(x)
			}
		})
	}
}
