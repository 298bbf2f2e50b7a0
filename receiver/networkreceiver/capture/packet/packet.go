// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package packet decodes raw IP packets into transport segments.
package packet // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/packet"
