// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"strings"
	"testing"
)

// BenchmarkBody scans JSON in which there is nothing to redact.
func BenchmarkBody(b *testing.B) {
	r := New(Default())
	body := []byte(`[` + strings.Repeat(`{"id":100000,"customer":"Jane Doe","created":"2026-01-02T03:04:05Z","total":9.99,"sku":"A-0001"},`, 640) + `]`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r.Body("application/json", body)
	}
}
