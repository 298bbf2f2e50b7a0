// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// benchBodies are bodies of about 64 KiB in which there is little or nothing to
// redact.
func benchBodies() map[string]struct{ mediaType, body string } {
	repeat := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < 64<<10; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]struct{ mediaType, body string }{
		"json":    {"application/json", repeat(`{"id":%d,"customer":"Jane Doe","created":"2026-01-02T03:04:05Z","total":9.99,"sku":"A-0001"},`)},
		"pretty":  {"application/json", repeat("  {\n    \"id\": %d,\n    \"customer\": \"Jane Doe\",\n    \"email\": \"jane.doe@shop.example\",\n    \"lastModificationTime\": \"2026-01-02T03:04:05Z\"\n  },\n")},
		"urls":    {"application/json", repeat(`{"id":%d,"login":"octo","url":"https://api.shop.example/users/octo?page=2&per_page=30","mail":"octo@shop.example"},`)},
		"newKeys": {"application/json", repeat(`"6f1c2a%06x":{"enabled":true},`)},
		"secrets": {"application/json", repeat(`{"id":%d,"user":"jane","password":"correct horse battery staple","role":"admin"},`)},
		"base64":  {"application/json", `{"name":"photo.png","data":"` + base64.StdEncoding.EncodeToString([]byte(repeat("%d"))[:48<<10]) + `"}`},
		"html":    {"text/html", repeat(`<div class="item" id="item-%d"><a href="/items?page=1&amp;sort=asc" title="Blue kettle">Blue kettle</a>&nbsp;<span style="color:red">9.99</span></div>`)},
		"xml":     {"text/xml", repeat(`<item id="%d"><name lang="en">Blue kettle</name><price>9.99</price></item>`)},
		"form":    {"application/x-www-form-urlencoded", repeat("id=%d&name=Jane+Doe&city=New%%20York&")},
		"text":    {"text/plain", repeat("2026-01-02 03:04:05 INFO request %d: method=GET path=/items status=200 took=12ms\n")},
		"yaml":    {"application/yaml", repeat("- id: %d\n  name: Blue kettle\n  price: 9.99\n")},
	}
}

func BenchmarkBody(b *testing.B) {
	for name, c := range benchBodies() {
		b.Run(name, func(b *testing.B) {
			r := New(Default())
			body := []byte(c.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r.Body(c.mediaType, body)
			}
		})
	}
}
