// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package presubmit has the repository's own rules, as tests.
package presubmit // import "github.com/wirespan/wirespan/test/presubmit"
