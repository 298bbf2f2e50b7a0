// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package conntrack

import "errors"

// Listener is the one of a system where there is none.
type Listener struct{}

// Listen says that there is no connection tracking here.
func Listen(*Table, string) (*Listener, error) {
	return nil, errors.New("connection tracking needs Linux")
}

// CatchUp does nothing.
func (*Listener) CatchUp() {}

// Close does nothing.
func (*Listener) Close() error { return nil }
