// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package networkreceiver

const (
	stressScale = 1
	stressLimit = 32 << 20
)
