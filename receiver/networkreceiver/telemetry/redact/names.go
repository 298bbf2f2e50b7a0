// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import "strings"

// list is a built-in list of names that stand for secrets. Names are normalised:
// lower case, letters and digits only.
type list struct {
	exact    string // whole names
	contains string // names that have this in them
	suffixes string // names that end so
	harmless string // names that a rule above would wrongly take
}

const (
	secretWords = "password passwd passphrase passcode secret apikey accesskey privatekey credential authorization jwt"
	harmless    = "nextpagetoken previouspagetoken prevpagetoken pagetoken nexttoken continuationtoken synctoken"
)

var (
	headerNames = list{
		exact: "cookie cookie2 setcookie setcookie2 xauth xauthkey xsession xsessionid sessionid dpop authenticationinfo " +
			"proxyauthenticationinfo xfunctionskey ocpapimsubscriptionkey xsubscriptionkey ddapplicationkey xhoneycombteam " +
			"xsentryauth xamznoidcdata xmsclientprincipal xinsertkey xlicensekey",
		contains: secretWords,
		suffixes: "token",
	}
	paramNames = list{
		// The first seven are those of the semantic conventions for url.full.
		exact: "xamzsignature xamzcredential xamzsecuritytoken awsaccesskeyid signature sig xgoogsignature " +
			"key pwd pass auth otp pin session sessionid sid phpsessid jsessionid samlresponse samlrequest assertion clientassertion codeverifier",
		contains: secretWords,
		suffixes: "token pwd",
		harmless: harmless,
	}
	keyNames = list{
		exact: "pass userpass dbpass smtppass pin otp totp cvv cvv2 cvc cvc2 cardnumber creditcard creditcardnumber ssn " +
			"cookie setcookie sessionid assertion clientassertion samlresponse codeverifier sessionkey encryptionkey signingkey sharedkey masterkey",
		contains: secretWords,
		suffixes: "token pwd",
		harmless: harmless,
	}
)

// names tells whether a name stands for a secret.
type names struct {
	exact    map[string]bool // also false: allowed names
	contains []word
	suffixes []string
	verdicts [256][2]verdict // the newer one of each pair first
	harmless [256]shortName  // short names that are no secret's
}

// verdict is what was found about a name, as it was spelled. Few names make up
// nearly all traffic; of those that share a slot the two newest stay.
type verdict struct {
	name   string
	secret bool
}

// word is a text that names have in them.
type word struct {
	text    string
	letters uint32
}

// lettersOf has a bit for each letter of a normalised name. A name without all letters
// of a word does not have the word in it.
func lettersOf(name string) (letters uint32) {
	for i := range len(name) {
		letters |= 1 << (name[i] & 31)
	}
	return letters
}

// maxVerdictName bounds the names that are remembered.
const maxVerdictName = 64

func newNames(l list, extra, allow []string) *names {
	n := &names{
		exact:    make(map[string]bool),
		suffixes: strings.Fields(l.suffixes),
	}
	for text := range strings.FieldsSeq(l.contains) {
		n.contains = append(n.contains, word{text, lettersOf(text)})
	}
	for name := range strings.FieldsSeq(l.exact) {
		n.exact[name] = true
	}
	for name := range strings.FieldsSeq(l.harmless) {
		n.exact[name] = false
	}
	var buf nameBuffer
	for _, name := range extra {
		n.exact[string(normalise(&buf, name))] = true
	}
	for _, name := range allow {
		n.exact[string(normalise(&buf, name))] = false
	}
	delete(n.exact, "")
	return n
}

// secret reports whether values of that name are redacted.
func (n *names) secret(name string) bool { return isSecret(n, name) }

func isSecret[T text](n *names, name T) bool {
	if len(name) == 0 {
		return n.judge("")
	}
	known := &n.verdicts[slot(name)]
	for i := range known {
		if known[i].name == string(name) {
			return known[i].secret
		}
	}
	var buf nameBuffer
	secret := n.judge(string(normalise(&buf, name)))
	if len(name) <= maxVerdictName {
		known[0], known[1] = verdict{name: strings.Clone(string(name)), secret: secret}, known[0]
	}
	return secret
}

// slot spreads names that are not empty by their length and four of their bytes.
func slot[T text](name T) uint8 {
	n := len(name)
	h := uint32(name[0])<<24 | uint32(name[n/3])<<16 | uint32(name[2*n/3])<<8 | uint32(name[n-1])
	return uint8((h ^ uint32(n)) * 0x9e3779b1 >> 24)
}

func (n *names) judge(name string) bool {
	if verdict, listed := n.exact[name]; listed {
		return verdict
	}
	letters := lettersOf(name)
	for _, word := range n.contains {
		if letters&word.letters == word.letters && strings.Contains(name, word.text) {
			return true
		}
	}
	for _, end := range n.suffixes {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// nameBuffer holds a normalised name. Of a longer one it holds the end, where
// the telling word stands ("spring.datasource.hikari.password").
type nameBuffer [128]byte

// normalise keeps letters and digits, in lower case, and undoes the escapes of
// URLs (%5F) and JSON (\u005f).
func normalise[T text](buf *nameBuffer, name T) []byte {
	n := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '%' && i+2 < len(name) && isHex(name[i+1]) && isHex(name[i+2]):
			c = unhex(name[i+1])<<4 | unhex(name[i+2])
			i += 2
		case c == '\\' && i+5 < len(name) && name[i+1] == 'u' && name[i+2] == '0' && name[i+3] == '0' && isHex(name[i+4]) && isHex(name[i+5]):
			c = unhex(name[i+4])<<4 | unhex(name[i+5])
			i += 5
		}
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80:
		default:
			continue
		}
		if n == len(buf) {
			n = copy(buf[:], buf[len(buf)/2:])
		}
		buf[n] = c
		n++
	}
	return buf[:n]
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
