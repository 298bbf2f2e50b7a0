// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/testkit"
)

// Links of all kinds that Markdown has: [text](target "title"), ![picture](target),
// [name]: target, and HTML's.
var linkForms = []*regexp.Regexp{
	regexp.MustCompile(`\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)`),
	regexp.MustCompile(`(?m)^\s{0,3}\[[^\]^]+\]:\s+<?(\S+?)>?\s*$`),
	regexp.MustCompile(`(?:href|src|srcset)="([^"]+)"`),
}

var (
	fencedBlock = regexp.MustCompile("(?ms)^ {0,3}(```+|~~~+).*?^ {0,3}(?:```+|~~~+)[ \t]*$")
	codeSpan    = regexp.MustCompile("`[^`\n]+`")
	heading     = regexp.MustCompile(`(?m)^#{1,6}\s+(.+?)\s*#*$`)
	inlineLink  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	htmlAnchor  = regexp.MustCompile(`<a\s+(?:id|name)="([^"]+)"`)
)

// Every relative link of every page leads to a file that is there, and its anchor to a
// heading of that page.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := map[string]map[string]bool{}
	for _, page := range files(t, ".md") {
		pages[page] = anchors(read(t, page))
	}
	require.NotEmpty(t, pages)
	links, fragments := 0, 0
	for page := range pages {
		for _, link := range linksOf(read(t, page)) {
			target, fragment, _ := strings.Cut(link, "#")
			if strings.Contains(target, ":") {
				continue // somewhere else
			}
			links++
			where := page
			if target != "" {
				where = path.Join(path.Dir(page), target)
				_, err := os.Stat(testkit.Root(where))
				if !assert.NoError(t, err, "%s links to %s", page, link) {
					continue
				}
			}
			if known, isPage := pages[where]; isPage && fragment != "" {
				fragments++
				assert.True(t, known[fragment], "%s links to %s, which has no such heading", page, link)
			}
		}
	}
	assert.Positive(t, links)
	assert.Positive(t, fragments)
}

func linksOf(page string) []string {
	page = fencedBlock.ReplaceAllString(page, "")
	page = codeSpan.ReplaceAllString(page, "")
	var all []string
	for _, form := range linkForms {
		for _, m := range form.FindAllStringSubmatch(page, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// anchors are those that GitHub gives the headings of a page, and those of HTML.
func anchors(page string) map[string]bool {
	page = fencedBlock.ReplaceAllString(page, "")
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		anchor := slug(m[1])
		for n, unique := 1, anchor; ; n++ {
			if !all[unique] {
				all[unique] = true
				break
			}
			unique = fmt.Sprintf("%s-%d", anchor, n)
		}
	}
	for _, m := range htmlAnchor.FindAllStringSubmatch(page, -1) {
		all[m[1]] = true
	}
	return all
}

func slug(heading string) string {
	text := inlineLink.ReplaceAllString(heading, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		case r == ' ':
			return '-'
		}
		return -1
	}, text)
}

func TestAnchors(t *testing.T) {
	assert.Equal(t, map[string]bool{
		"the-way-of-a-byte": true, "service_names": true, "what-it-costs-1-of-2": true, "a-link-and-code": true,
		"twice": true, "twice-1": true, "grüße": true, "own": true,
	}, anchors("# The way of a byte\n## `service_name`s\n### What it costs, 1 of 2?\n## A [link](x.md#y) and `code` ##\n"+
		"## Twice\n## Twice\n```sh\n# no heading\n```\n## Grüße!\n<a id=\"own\"></a>\n"))
	assert.ElementsMatch(t, []string{"a.md#b", "pic.png", "c.md", "d.html", "e.md"}, linksOf(
		"[x](a.md#b) ![p](pic.png \"title\")\n[ref]: c.md\n<a href=\"d.html\">\n`[no](code.md)`\n```\n[no](fence.md)\n```\n[y](<e.md>)"))
}
