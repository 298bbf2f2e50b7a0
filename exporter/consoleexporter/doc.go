// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package consoleexporter prints calls for human eyes on a terminal: one line
// or one block for each call and end. It never prints a byte of a payload raw
// that a terminal could take for a command.
package consoleexporter // import "github.com/wirespan/wirespan/exporter/consoleexporter"
