// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const document = "../../../docs/telemetry.md"

// TestAttributesAreDocumented compares the tables of docs/telemetry.md with the
// keys in both semconv.go and with those that dissectors describe calls with.
func TestAttributesAreDocumented(t *testing.T) {
	assert.Equal(t, attributesInCode(t), tableKeys(t, `^\| .(\S+?)(?:<name>)?. \| (?:string|int|double|bool|string\[\]|string; bytes) \|`))
}

// TestEventsAreDocumented wants one event for each protocol.
func TestEventsAreDocumented(t *testing.T) {
	var want []string
	for _, file := range dissectorFiles(t) {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if filepath.Base(filepath.Dir(file)) == "proxyprotocol" {
			continue // it has no messages
		}
		if regexp.MustCompile(`(?m)^func \(\w* ?Dissector\) Describe\(`).Match(source) {
			name := strings.Split(filepath.ToSlash(file), "/")[2] // a protocol's other transport lies below its folder
			want = append(want, "wirespan."+name+".call")
		}
	}
	assert.Equal(t, sorted(want), tableKeys(t, "^\\| `(wirespan\\.\\w+\\.call)` \\|"))
}

// TestSchemaIsDocumented keeps the page's schema that of the records.
func TestSchemaIsDocumented(t *testing.T) {
	page, err := os.ReadFile(document)
	require.NoError(t, err)
	assert.Contains(t, string(page), SchemaURL)
	assert.Contains(t, string(page), "`"+ScopeName+"`")
}

func tableKeys(t *testing.T, row string) (keys []string) {
	page, err := os.ReadFile(document)
	require.NoError(t, err)
	for line := range strings.Lines(string(page)) {
		if m := regexp.MustCompile(row).FindStringSubmatch(line); m != nil {
			keys = append(keys, m[1])
		}
	}
	require.Len(t, sorted(keys), len(keys), "a key is in one table only")
	return sorted(keys)
}

func attributesInCode(t *testing.T) (keys []string) {
	for _, file := range []string{"semconv.go", "../../../internal/semconv/semconv.go"} {
		ast.Inspect(parse(t, file), func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
				if key := unquote(t, s); strings.Contains(key, ".") && !strings.Contains(key, "/") {
					keys = append(keys, key)
				}
			}
			return true
		})
	}
	for _, file := range dissectorFiles(t) {
		ast.Inspect(parse(t, file), func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) >= 2 && describes(call.Fun) {
				if s, ok := call.Args[0].(*ast.BasicLit); ok {
					keys = append(keys, unquote(t, s))
				}
			}
			keys = append(keys, payloadKeys(t, n)...)
			return true
		})
	}
	return sorted(keys)
}

// payloadKeys are the names in a dissect.PayloadKeys.
func payloadKeys(t *testing.T, n ast.Node) (keys []string) {
	literal, ok := n.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	if of, ok := literal.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "PayloadKeys" {
		return nil
	}
	for _, element := range literal.Elts {
		keys = append(keys, unquote(t, element.(*ast.KeyValueExpr).Value.(*ast.BasicLit)))
	}
	return keys
}

// describes reports whether a call is out.Str and the like.
func describes(f ast.Expr) bool {
	s, ok := f.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "out" && slices.Contains([]string{"Str", "Strs", "Int", "Float", "Bool", "Payload"}, s.Sel.Name)
}

func dissectorFiles(t *testing.T) (files []string) {
	require.NoError(t, filepath.WalkDir("../dissect", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "dissecttest" {
			return fs.SkipDir
		}
		if err == nil && !entry.IsDir() && strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			files = append(files, file)
		}
		return err
	}))
	require.NotEmpty(t, files)
	return files
}

func parse(t *testing.T, file string) *ast.File {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return f
}

func unquote(t *testing.T, s *ast.BasicLit) string {
	v, err := strconv.Unquote(s.Value)
	require.NoError(t, err)
	return v
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
