// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit/seed"
)

var mediaTypes = []string{
	"", "application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
	"text/xml", "application/yaml", "text/html", "application/octet-stream", "image/png",
}

// FuzzBody: no panic, the input is not changed, redacting twice changes nothing
// more, and the result grows by no more than the markers.
func FuzzBody(f *testing.F) {
	f.Add(uint8(1), []byte(`{"password":"a\"b","secret":{"a":[1]},"m":"{\"token\":\"x\"}"}`))
	f.Add(uint8(2), []byte("a=1&password=x&payload=%7B%22token%22%3A%22x%2"))
	f.Add(uint8(3), []byte("--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nx\r\n--b--"))
	f.Add(uint8(5), []byte("<a:password x='y'>z</a:password>"))
	f.Add(uint8(6), []byte("password: x\n'token': \\\"y"))
	for i, b := range seed.Bodies(f) {
		f.Add(uint8(i), b.Bytes)
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		mediaType := mediaTypes[int(kind)%len(mediaTypes)]
		r := New(Default())
		before := bytes.Clone(body)
		out := r.Body(mediaType, body)
		require.Equal(t, before, body)
		if r.Applied() == 0 {
			require.Equal(t, before, out)
		}
		if utf8.Valid(body) {
			require.True(t, utf8.Valid(out))
		}
	})
}

// FuzzSecret: a secret in a well-formed place is gone, wherever the body is cut
// and whatever stands around it.
func FuzzSecret(f *testing.F) {
	f.Add("before", "after", uint16(30))
	f.Add(`a","b":"c`, `{"x":[`, uint16(12))
	f.Fuzz(func(t *testing.T, before, after string, cut uint16) {
		const secret = "S3CR3TVALUE"
		if strings.Contains(before+after, "S3C") || strings.ContainsAny(before+after, "\\") {
			return
		}
		escape := func(s string) string { return strings.ReplaceAll(s, `"`, `\"`) }
		body := `{"a":"` + escape(before) + `","password":"` + secret + `","b":"` + escape(after) + `"}`
		body = body[:min(len(body), len(`{"a":"","password":"`)+len(escape(before))+int(cut))]
		out := New(Default()).Body("application/json", []byte(body))
		require.NotContains(t, string(out), "S3C")
	})
}

// FuzzStrings: headers, URLs and arguments.
func FuzzStrings(f *testing.F) {
	f.Add("Referer", "https://a:b@c/?token=d#e=f")
	f.Add("X", `a="b, c='d\u0026token=x`)
	f.Add("curl", "-u a:b")
	for _, field := range seed.Fields(f) {
		f.Add(field.Name, field.Value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		r := New(Default())
		_ = r.Header(name, value)
		_ = r.URL(value)
		_ = r.Query(value)
		_ = r.CommandLine(append([]string{name}, strings.Fields(value)...))
	})
}

// TestHostileBodiesTakeLinearWork runs shapes that punish scans which look back
// or ahead too far. A quadratic scan would not end within the test's time.
func TestHostileBodiesTakeLinearWork(t *testing.T) {
	const size = 256 << 10
	for _, shape := range []string{
		"=", ":", `"`, `\`, `":`, `"password":`, `"password":{`, `"password":"`, "password=", "?a=", "?token=a=", "<password>", "<a", "--a\r\n", "://a@", `'="`,
		`"a" : `, ` "`, `\":`, `"password":\`, "&=%22", "://", `password:"\`, `{"a":"`, "a:", "--a\n\n", "=%25", "\r\n\r\n--a\r\n", `\u0026=`,
	} {
		body := []byte(strings.Repeat(shape, size/len(shape)))
		for _, mediaType := range mediaTypes {
			New(Default()).Body(mediaType, body)
		}
	}
}
