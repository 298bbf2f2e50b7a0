// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package jsonvalue

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

const sample = "\ufeff \n" + `{"a": 1, "b" : {"c":[true, false,null , "x\"]}"], "d":-2.5e3}, "ü\u00e9\"": "\ud83d\ude00 \\", "s":"plain","e":{},"f":[]} trailing`

func TestGet(t *testing.T) {
	v := Of([]byte(sample))
	assert.True(t, v.IsObject())
	assert.True(t, v.Whole())
	n, ok := v.Get("a").Int()
	assert.True(t, ok)
	assert.EqualValues(t, 1, n)
	f, ok := v.Get("b", "d").Float()
	assert.True(t, ok)
	assert.InDelta(t, -2500, f, 0)
	assert.Equal(t, "😀 \\", v.Get("üé\"").Text())
	assert.Equal(t, "plain", v.Get("s").Text())
	assert.True(t, v.Get("missing").IsNull())
	assert.True(t, v.Get("a", "b").IsNull())
	var elements []string
	for e := range v.Get("b", "c").Elements() {
		elements = append(elements, string(e))
	}
	assert.Equal(t, []string{"true", "false", "null", `"x\"]}"`}, elements)
	assert.Nil(t, v.Get("f").First())
	b, ok := v.Get("b", "c").First().Bool()
	assert.True(t, b && ok)
	_, ok = v.Get("s").Int()
	assert.False(t, ok)
	_, ok = v.Get("s").Float()
	assert.False(t, ok)
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{
		`{"m":"abc`:              "abc",
		`{"m":"abc\`:             "abc",
		`{"m":"abc\u12`:          "abc",
		`{"m":"abc\ud83d\ude0`:   "abc\ufffd", // half a pair
		`{"m":"abc\\\"`:          `abc\"`,
		`{"x":{"y":[1,2,"m":"no`: "",
		`{"m"`:                   "",
		`{"m":`:                  "",
		`{"m`:                    "",
		`{`:                      "",
		`"m"`:                    "",
		``:                       "",
	} {
		v := Of([]byte(text))
		assert.Equal(t, want, v.Get("m").Text(), text)
		assert.Equal(t, text == `"m"`, v.Whole(), text)
	}
}

func TestIsMediaType(t *testing.T) {
	for mediaType, want := range map[string]bool{
		"application/json": true, "application/graphql-response+json": true, "text/json": true,
		"application/x-ndjson": false, "text/html": false, "": false,
	} {
		assert.Equal(t, want, IsMediaType(mediaType), mediaType)
	}
}

// FuzzMembers compares with encoding/json: of texts that are JSON the same is read, and
// of others something bounded by them.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"a":[{"b":"c"},1e9,"\\"],"a":2}`))
	f.Add([]byte(`[[[["`))
	f.Fuzz(func(t *testing.T, text []byte) {
		v := Of(text)
		members := map[string]string{}
		for name, member := range v.Members() {
			if _, twice := members[string(name)]; !twice {
				members[string(name)] = string(member)
			}
			member.Text()
			for e := range member.Elements() {
				e.Text()
			}
		}
		var want map[string]json.RawMessage
		if text = bytes.TrimPrefix(text, []byte("\ufeff")); !utf8.Valid(text) || json.Unmarshal(text, &want) != nil || want == nil || hasTwice(text, len(want)) {
			return
		}
		assert.Len(t, members, len(want))
		for name, raw := range want {
			assert.Equal(t, string(raw), members[name], "%q", name)
			var s string
			if raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
				assert.Equal(t, s, Value(raw).Text())
			}
		}
	})
}

// hasTwice reports whether an object has a name twice: of those, encoding/json gives the
// last one.
func hasTwice(text []byte, names int) bool {
	n := 0
	for range Of(text).Members() {
		n++
	}
	return n != names
}
