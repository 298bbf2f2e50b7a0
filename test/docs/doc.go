// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package docs tries what the documentation tells its readers to do: each command
// and each configuration in its pages.
package docs // import "github.com/wirespan/wirespan/test/docs"
