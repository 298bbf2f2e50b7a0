// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package probe finds out, before anything is loaded, whether this process may
// and this kernel can capture by eBPF, and afterwards gives away the privileges
// that are not needed any more.
package probe // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"

// MinimumKernel is the oldest kernel that is supported, because it is the oldest
// one that is tested. Check does not compare versions, it tries the features.
const MinimumKernel = "6.1"
