// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy holds the versions of helm and kustomize, which render and
// check what is in deploy/. They have a module of their own: their requirements
// and those of the other tools don't go together. Nothing here becomes part of
// the product.
package deploy // import "github.com/wirespan/wirespan/internal/tools/deploy"
