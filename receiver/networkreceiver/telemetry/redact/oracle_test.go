// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// oracle is the plain form of the scans of bodies: each colon, each equals sign and
// each slash is looked at, each name is judged anew, and nothing is passed over.
// What the Redactor does has to be the same, byte for byte.
type oracle struct{ *Redactor }

func newOracle() oracle { return oracle{New(Default())} }

func (o oracle) body(mediaType string, body []byte) []byte {
	kind := kindOf(mediaType)
	if (kind == other || kind == plain) && !saysText(mediaType) && isBinary(body) {
		kind = opaque
	}
	switch kind {
	case opaque:
		return body
	case form:
		if looksLikeJSON(body) {
			body = o.pairs(body, false)
		} else {
			body = o.parameters(o.keys, body, formText)
		}
	case multipart:
		body = o.parts(body)
	case xml:
		body = o.parameters(o.keys, o.elements(body), looseText)
	default:
		body = o.pairs(body, kind == yaml)
		if kind == plain {
			body = o.parameters(o.keys, body, looseText)
		}
	}
	return o.urls(body)
}

func (o oracle) urls(s []byte) []byte {
	return o.parameters(o.params, o.userinfo(s), embeddedText)
}

func (oracle) secret(n *names, name []byte) bool {
	var buf nameBuffer
	normalised := string(normalise(&buf, name))
	if listed, ok := n.exact[normalised]; ok {
		return listed
	}
	for _, word := range n.contains {
		if strings.Contains(normalised, word.text) {
			return true
		}
	}
	for _, end := range n.suffixes {
		if strings.HasSuffix(normalised, end) {
			return true
		}
	}
	return false
}

func (o oracle) pairs(s []byte, bare bool) []byte {
	e := edit[[]byte]{src: s}
	for i := 0; i < len(s); i++ {
		if s[i] != ':' {
			continue
		}
		start := skipSpace(s, i+1)
		if start == len(s) || !bare && !quotedBefore(s, i) && !opensString(s, start) {
			continue
		}
		name, quoted := nameBeforeColon(s, i)
		if len(name) == 0 || !o.secret(o.keys, name) {
			continue
		}
		from, to, with := pairValue(s, start, quoted)
		if to > from && !saysNothing(s[from:to]) {
			o.applied++
			e.replace(from, to, with)
		}
		i = max(to, i+1) - 1
	}
	return e.result()
}

func (o oracle) parameters(n *names, s []byte, m *mode) []byte {
	e := edit[[]byte]{src: s}
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			continue
		}
		name, ok := nameBefore(s, i, m)
		if !ok {
			continue
		}
		start := i + 1
		switch {
		case o.secret(n, name):
			from, end := valueOf(s, start, m)
			if end > from {
				o.applied++
				e.replace(from, end, Marker)
			}
			i = end - 1
		case m.whole:
			end := indexAny(s, start, m.before)
			if plain := unescape(s[start:end]); strings.Contains(string(s[start:end]), "%") {
				if clean := string(o.urls(o.pairs([]byte(plain), false))); clean != plain {
					e.replace(start, end, url.QueryEscape(clean))
				}
			}
			i = end - 1
		}
	}
	return e.result()
}

func (o oracle) userinfo(s []byte) []byte {
	e := edit[[]byte]{src: s}
	for i := 0; i < len(s); i++ {
		scheme := 0
		if s[i] == ':' {
			scheme = 1
		} else if i > 0 {
			continue
		}
		if start := o.afterSlashes(s, i+scheme); start > 0 {
			i = max(i, replaceUserinfo(o.Redactor, &e, start))
		}
	}
	return e.result()
}

// afterSlashes is the index after "//" or "\/\/" at index i, or -1.
func (oracle) afterSlashes(s []byte, i int) int {
	for range 2 {
		if i < len(s) && s[i] == '\\' {
			i++
		}
		if i >= len(s) || s[i] != '/' {
			return -1
		}
		i++
	}
	return i
}

func (o oracle) parts(body []byte) []byte {
	e := edit[[]byte]{src: body}
	for p := (parts{body: body}); p.next(); {
		content := body[p.start:p.end]
		if len(content) == 0 {
			continue
		}
		if o.secret(o.keys, fieldName(p.header)) {
			o.applied++
			e.replace(p.start, p.end, Marker)
			continue
		}
		before := o.applied
		if clean := o.pairs(content, false); o.applied != before {
			e.replace(p.start, p.end, string(clean))
		}
	}
	return e.result()
}

func (o oracle) elements(s []byte) []byte {
	e := edit[[]byte]{src: s}
	for i := 0; i < len(s); i++ {
		if s[i] != '<' {
			continue
		}
		end := indexAny(s, i+1, tagNameEnd)
		name := s[i+1 : min(end, i+1+maxName)]
		if len(name) == 0 || !o.secret(o.keys, localName(name)) {
			i = end - 1
			continue
		}
		tag := indexByte(s, end, '>')
		if tag < 0 {
			break
		}
		if s[tag-1] == '/' {
			i = tag - 1
			continue
		}
		start, stop := tag+1, len(s)
		if n := strings.Index(string(s[start:]), "</"+string(name)); n >= 0 {
			stop = start + n
		}
		if stop > start {
			o.applied++
			e.replace(start, stop, Marker)
		}
		i = stop - 1
	}
	return e.result()
}

// requireAsOracle redacts each body with one Redactor, so that what it remembers of
// one is used for the next.
func requireAsOracle(t testing.TB, mediaType string, bodies ...[]byte) {
	t.Helper()
	r, o := New(Default()), newOracle()
	for _, body := range bodies {
		require.Equal(t, string(o.body(mediaType, body)), string(r.Body(mediaType, body)), "%s: %q", mediaType, body)
		require.Equal(t, o.applied, r.applied, "%s: %q", mediaType, body)
	}
}

// fragments of which hostile bodies consist.
var fragments = strings.Split(`":|"|'|':|": "|:"|: '|":"|\":\"|\\\":|\|\\|\u0026|\u005f|\n|\t|\r\n|`+" |  |\x00|\x00\x00\x00|\xff|\xc3\xa9|:|::|=|==|?|&|;|#|@|/|//|://|"+
	`:\/\/|\//|/\/|\\//|<|</|>|/>|{|}|[|]|,|--|--b|--b--|%|%3A|%22|%40|%3d|%3D|%2|+|`+
	`password|Pass_Word|pass-word|passw|ord|pass\u0077ord|pass%77ord|secret|SECRET|token|pageToken|next_page_token|access|key|API|pin|pwd|jwt|cookie|`+
	`id|name|user|user:x@|a|ab|abc|abcdef|abcdefg|abcdefgh|abcdefghi|abcdefghijklmno|abcdefghijklmnop|lastModificationTime|null|true|12|03:04:05|`+
	`https://h/?a=b|u:p@h|=%2F%2Fu%40h|Content-Disposition: form-data; name=`, "|")

func hostile(random *rand.Rand, n int) []byte {
	var b strings.Builder
	for b.Len() < n {
		f := fragments[random.IntN(len(fragments))]
		for range 1 + random.IntN(3)*random.IntN(2) {
			b.WriteString(f)
		}
		if random.IntN(40) == 0 {
			b.WriteString(strings.Repeat(f, 600/len(f)+1)) // past maxName
		}
	}
	return []byte(b.String())
}

func TestRandomBodiesAsOracle(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		for _, mediaType := range mediaTypes {
			requireAsOracle(t, mediaType, hostile(random, random.IntN(200)), hostile(random, random.IntN(3000)), hostile(random, 100))
		}
	}
}

// TestNamesAsOracle puts names of each length at each place of a block, with text of
// all kinds before them.
func TestNamesAsOracle(t *testing.T) {
	const end = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst"
	for _, secret := range []string{"pin", "pwd", "token", "Access-Key", "authorization"} {
		for _, before := range []string{"{", `'`, "\x00\"", "#", `\"`, `"":`} {
			var bodies [][]byte
			for n := range len(end) {
				for _, name := range []string{secret, end[:n] + secret, secret + end[:n], end[:n]} {
					pair := before + `"` + name + `":"v",'` + name + `':'v' `
					bodies = append(bodies, []byte(pair+strings.Repeat(" ", block)), []byte(strings.Repeat(" ", n)+strings.Repeat(pair, 4)))
				}
			}
			requireAsOracle(t, "application/json", bodies...)
		}
	}
}

// Names that differ in zero bytes and quotes alone are not mixed up.
func TestZeroBytesInNamesAsOracle(t *testing.T) {
	pad := strings.Repeat(" ", 2*block)
	for zeros := range 20 {
		z := strings.Repeat("\x00", zeros)
		requireAsOracle(t, "application/json",
			[]byte(pad+`"abc":"v"`+pad),
			[]byte(pad+`'password`+z+`"abc':"v"`+pad),
			[]byte(pad+`"password`+z+`'abc":"v"`+pad),
			[]byte(pad+`"password`+z+`abc":"v"`+pad),
			[]byte(pad+`"`+z+`abc":"v"`+pad),
			[]byte(pad+`"pin`+z+`":"v"`+pad),
			[]byte(pad+`"`+z+`pin":"v"`+pad),
			[]byte(pad+`'`+z+`"pin':"v"`+pad))
	}
}

func TestEncodedValuesAsOracle(t *testing.T) {
	for _, value := range []string{"%2F%2Fu%40h", "%7B%22pin%22%3A1%7D", "%7b%22pin%22%3a1%7d", "%22pin%22:1%", "%3Fpin%3d1", "?pin=%31", "x%40y", "New%20York", "%", "%4"} {
		requireAsOracle(t, "application/x-www-form-urlencoded", []byte("a="+value+"&b=1"), []byte("a="+value))
		require.Equal(t, string(newOracle().parameters(New(Default()).params, []byte("/?a="+value), queryText)), New(Default()).Query("/?a="+value))
	}
}

func TestBenchBodiesAsOracle(t *testing.T) {
	for name, c := range benchBodies() {
		t.Run(name, func(t *testing.T) { requireAsOracle(t, c.mediaType, []byte(c.body), []byte(c.body)) })
	}
}

// FuzzOracle: the Redactor does what the plain scans do.
func FuzzOracle(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for kind := range mediaTypes {
		f.Add(uint8(kind), []byte(`{"first":1,"password":"v"}`), hostile(random, 300))
		f.Add(uint8(kind), []byte(fmt.Sprintf("%200s", "a&b=c&token=v://u:p@h")), hostile(random, 300))
	}
	f.Fuzz(func(t *testing.T, kind uint8, first, second []byte) {
		requireAsOracle(t, mediaTypes[int(kind)%len(mediaTypes)], first, second, first)
	})
}
