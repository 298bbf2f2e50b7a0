// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package handshake

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"time"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

const (
	maxChain       = 16       // certificates of a chain
	maxCertificate = 16 << 10 // bytes of one that is looked into
	maxNames       = 32       // alternative names that are told
	maxText        = 512      // bytes of a distinguished name
)

// Chain is what is told of a chain of certificates: of the first one, and the names of
// those that it was issued by.
type Chain struct {
	Length              int
	Subject, Issuer     string
	NotBefore, NotAfter time.Time
	Names               []string // DNS names, addresses, URIs and e-mail addresses
	SHA256              string
	Subjects            []string // of the whole chain
}

// ParseChain reads RFC 5246, section 7.4.2, or RFC 8446, section 4.4.2.
func ParseChain(b []byte, version13 bool) (c Chain) {
	r := reader{b: b}
	if version13 {
		r.vector(1) // context
	}
	list := r.vector(3)
	for !list.empty() && c.Length < maxChain {
		der := list.vector(3)
		if version13 {
			list.vector(2) // extensions
		}
		if list.bad {
			break
		}
		c.Length++
		c.add(der.b)
	}
	return c
}

func (c *Chain) add(der []byte) {
	if len(der) > maxCertificate {
		return
	}
	if c.Length == 1 {
		sum := sha256.Sum256(der)
		c.SHA256 = strings.ToUpper(hex.EncodeToString(sum[:]))
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return
	}
	subject := bounded(parsed.Subject.String())
	c.Subjects = append(c.Subjects, subject)
	if c.Length > 1 {
		return
	}
	c.Subject, c.Issuer = subject, bounded(parsed.Issuer.String())
	c.NotBefore, c.NotAfter = parsed.NotBefore.UTC(), parsed.NotAfter.UTC()
	c.Names = names(parsed)
}

// names are the subject's alternative names.
func names(c *x509.Certificate) (list []string) {
	add := func(name string) {
		if len(list) < maxNames {
			list = append(list, bounded(name))
		}
	}
	for _, name := range c.DNSNames {
		add(name)
	}
	for _, address := range c.IPAddresses {
		add(address.String())
	}
	for _, uri := range c.URIs {
		add(uri.String())
	}
	for _, name := range c.EmailAddresses {
		add(name)
	}
	return list
}

func bounded(text string) string { return dissect.Text(dissect.Clip(text, maxText)) }
