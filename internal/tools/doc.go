// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package tools holds the versions of the programs that build and check this
// repository. Its go.mod pins them with tool lines; the Makefile runs them by
// `go tool -modfile=internal/tools/go.mod`. Nothing here becomes part of the
// product.
package tools // import "github.com/wirespan/wirespan/internal/tools"
