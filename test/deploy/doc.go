// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package deploy tests what is in deploy/: that the chart renders to what is
// committed, that every configuration in it is one that the collector takes and
// runs with, and that pods get no more privileges than the documentation says.
package deploy // import "github.com/wirespan/wirespan/test/deploy"
