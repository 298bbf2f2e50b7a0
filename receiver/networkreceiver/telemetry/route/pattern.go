// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"errors"
	"fmt"
	"strings"
)

// MaxTemplates bounds the templates of the user.
const MaxTemplates = 1000

// Check reports the first template that can't be used.
func Check(templates []string) error {
	if len(templates) > MaxTemplates {
		return fmt.Errorf("%d templates: want at most %d", len(templates), MaxTemplates)
	}
	var all patterns
	for _, template := range templates {
		if err := all.add(template); err != nil {
			return fmt.Errorf("template %q: %w", template, err)
		}
	}
	return nil
}

// patterns are the templates of the user, by host; "" is any. They have the syntax of
// net/http's patterns without a method: [HOST]/users/{name}/{rest...}. Where several
// match, the one wins that has a name first where the others have a value.
type patterns map[string]*pattern

// pattern is a place in templates.
type pattern struct {
	names    map[string]*pattern
	value    *pattern
	template string // that ends here, or ""
	rest     string // that ends here with {rest...}, or ""
}

var (
	errNoPath    = errors.New("want [HOST]/PATH")
	errBraces    = errors.New("want braces around a whole segment, with a name in them")
	errRest      = errors.New("want {name...} at the end only")
	errDuplicate = errors.New("want one template for a path")
)

// add adds a template.
func (p *patterns) add(template string) error {
	host, path, ok := strings.Cut(template, "/")
	if !ok {
		return errNoPath
	}
	if *p == nil {
		*p = make(patterns)
	}
	n := (*p)[host]
	if n == nil {
		n = &pattern{}
		(*p)[host] = n
	}
	end := &n.template
	for segment := range strings.SplitSeq(path, "/") {
		if end == &n.rest {
			return errRest
		}
		name, isValue, err := parseSegment(segment)
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(name, "...") && isValue:
			end = &n.rest
		default:
			n = n.child(segment, isValue)
			end = &n.template
		}
	}
	if *end != "" {
		return errDuplicate
	}
	*end = "/" + path
	return nil
}

// parseSegment returns the name of a value, or a segment that is none.
func parseSegment(s string) (name string, isValue bool, err error) {
	name, isValue = strings.CutPrefix(s, "{")
	if !isValue {
		if strings.ContainsAny(s, "{}?#") {
			return "", false, errBraces
		}
		return s, false, nil
	}
	name, closed := strings.CutSuffix(name, "}")
	plain := strings.TrimSuffix(name, "...")
	if !closed || plain == "" || strings.ContainsAny(plain, "{}?#.") {
		return "", false, errBraces
	}
	return name, true, nil
}

func (n *pattern) child(segment string, isValue bool) *pattern {
	if isValue {
		if n.value == nil {
			n.value = &pattern{}
		}
		return n.value
	}
	if n.names[segment] == nil {
		if n.names == nil {
			n.names = make(map[string]*pattern)
		}
		n.names[segment] = &pattern{}
	}
	return n.names[segment]
}

// match returns the template of a path, or "".
func (p patterns) match(host, path string) string {
	if len(p) == 0 {
		return ""
	}
	if n := p[host]; n != nil {
		if template := n.match(path); template != "" {
			return template
		}
	}
	if n := p[""]; n != nil {
		return n.match(path)
	}
	return ""
}

// match takes no more steps than there are places in the templates.
func (n *pattern) match(path string) string {
	if path == "" {
		return n.template
	}
	segment, rest := path[1:], ""
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		segment, rest = segment[:i], segment[i:]
	}
	if i := strings.IndexByte(segment, ';'); i >= 0 {
		segment = segment[:i]
	}
	if next := n.names[segment]; next != nil {
		if template := next.match(rest); template != "" {
			return template
		}
	}
	if n.value != nil && segment != "" {
		if template := n.value.match(rest); template != "" {
			return template
		}
	}
	return n.rest
}
