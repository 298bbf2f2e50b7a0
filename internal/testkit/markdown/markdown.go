// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package markdown finds the code in pages of documentation.
package markdown // import "github.com/wirespan/wirespan/internal/testkit/markdown"

import (
	"fmt"
	"regexp"
	"strings"
)

// Code is a fenced block of a page, or a code span in its text.
type Code struct {
	Page     string
	Line     int    // of the page, counted from 1
	Language string // as the fence names it; empty for a span
	Fenced   bool
	Text     string
}

func (c Code) String() string { return fmt.Sprintf("%s:%d", c.Page, c.Line) }

var (
	fence = regexp.MustCompile("^\\s*```+\\s*(\\S*)")
	span  = regexp.MustCompile("`([^`]+)`")
)

// Find returns the code in a page, in its order.
func Find(page, text string) (found []Code) {
	var block *Code
	number := 0
	for line := range strings.Lines(text) {
		number++
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && block == nil:
			block = &Code{Page: page, Line: number, Language: m[1], Fenced: true}
		case m != nil:
			found = append(found, *block)
			block = nil
		case block != nil:
			block.Text += line
		default:
			for _, s := range span.FindAllStringSubmatch(line, -1) {
				found = append(found, Code{Page: page, Line: number, Text: s[1]})
			}
		}
	}
	return found
}

// Commands returns the commands of a block for a shell: one for each line, with its
// continuations. A block with a document in it (<<) is one command. In a block of
// language console, commands are the lines that begin with a prompt.
func (c Code) Commands() (commands []string) {
	if !c.Fenced || strings.Contains(c.Text, "<<") {
		return []string{strings.TrimSpace(c.Text)}
	}
	for line := range strings.Lines(strings.ReplaceAll(c.Text, "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if c.Language == "console" {
			var prompt bool
			if line, prompt = strings.CutPrefix(line, "$ "); !prompt {
				continue
			}
		}
		line, _, _ = strings.Cut(line, "   #") // what it does
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			commands = append(commands, line)
		}
	}
	return commands
}
