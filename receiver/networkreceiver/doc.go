// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package networkreceiver turns network traffic into API calls. The folders
// capture, conn, dissect, pair and telemetry are the way of a byte, in this
// order; the files here are the collector component around them.
package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"
