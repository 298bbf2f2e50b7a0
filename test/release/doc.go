// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package release tries what make release has packed for this machine's architecture,
// as users would: it unpacks, installs, imports and runs. make test-release runs it.
package release // import "github.com/wirespan/wirespan/test/release"
