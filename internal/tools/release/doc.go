// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package release holds the versions of the programs that pack a release: nfpm
// (deb, rpm) and cyclonedx-gomod (SBOM). The command image beside it packs the
// container image, and the script release runs them all. They have a module of
// their own, like the other tools; nothing here becomes part of the product.
package release // import "github.com/wirespan/wirespan/internal/tools/release"
