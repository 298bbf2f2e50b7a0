// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// maxCopies bounds how many functions of one name are taken.
const maxCopies = 16

// addFunctions adds those functions that exist and are code.
func (l *Library) addFunctions(f *file, resolve resolver, names []string) error {
	for _, name := range names {
		found, err := resolve(name)
		if err != nil {
			return err
		}
		for _, address := range found[:min(len(found), maxCopies)] {
			if offset := f.code(address); offset != 0 {
				l.Functions = append(l.Functions, Function{Name: name, Offset: offset})
			}
		}
	}
	l.sort()
	return nil
}

func (l *Library) has(name string) bool {
	return slices.ContainsFunc(l.Functions, func(f Function) bool { return f.Name == name })
}

// sort also removes what is there twice: two symbols may name one place.
func (l *Library) sort() {
	slices.SortFunc(l.Functions, func(a, b Function) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Offset, b.Offset))
	})
	l.Functions = slices.CompactFunc(l.Functions, func(a, b Function) bool {
		return a.Name == b.Name && a.Offset == b.Offset
	})
}

// highestVersion gives the highest of the symbol versions that begin with a prefix,
// without it, with dots.
func highestVersion(versions []string, prefix string) string {
	highest := ""
	for _, v := range versions {
		number, ok := strings.CutPrefix(v, prefix)
		if !ok || number == "" || number[0] < '0' || number[0] > '9' {
			continue
		}
		number = strings.ReplaceAll(number, "_", ".")
		if compareVersions(number, highest) > 0 {
			highest = number
		}
	}
	return highest
}

// compareVersions compares dotted numbers; letters after a number are ignored.
func compareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y int
		x, a = nextNumber(a)
		y, b = nextNumber(b)
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

func nextNumber(s string) (n int, rest string) {
	s, rest, _ = strings.Cut(s, ".")
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s = s[:end]
	}
	n, _ = strconv.Atoi(s) // nothing is 0
	return n, rest
}
