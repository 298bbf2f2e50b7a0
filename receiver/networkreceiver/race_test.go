// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package networkreceiver

// Under the race detector attacks are small: they look for races only.
const (
	stressScale = 16
	stressLimit = 16 << 20
)
