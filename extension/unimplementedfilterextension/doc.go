// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package unimplementedfilterextension is a gRPC client middleware for OTLP
// exporters. A server that does not implement a signal's service, as Jaeger has
// none for logs, answers each request with Unimplemented; the middleware says so
// once and drops what follows.
package unimplementedfilterextension // import "github.com/wirespan/wirespan/extension/unimplementedfilterextension"
