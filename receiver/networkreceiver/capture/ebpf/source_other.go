// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux || (!amd64 && !arm64)

package ebpf

import (
	"context"
	"errors"
	"runtime"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
)

var errPlatform = errors.New("capture by eBPF needs Linux on amd64 or arm64, this is " +
	runtime.GOOS + " on " + runtime.GOARCH + ": replay a capture file instead")

// Source is the source of a system where there is none.
type Source struct{ settings Settings }

var _ capture.Source = (*Source)(nil)

// New makes a source whose Start says that it can not be used here.
func New(settings Settings, _ *zap.Logger, _ *Stats) *Source { return &Source{settings} }

// Shards implements capture.Source.
func (s *Source) Shards() int { return s.settings.Shards }

// Start implements capture.Source.
func (s *Source) Start(context.Context) error { return errPlatform }

// Run implements capture.Source.
func (s *Source) Run(context.Context, int, capture.Handler) error { return errPlatform }

// Abandon does nothing.
func (s *Source) Abandon() {}

// DropPrivileges does nothing.
func (s *Source) DropPrivileges(...probe.Capability) error { return nil }

// ClockStep is none.
func (s *Source) ClockStep() int64 { return 0 }

// EachNAT tells nothing.
func (s *Source) EachNAT(func(kind string, n uint64)) {}

// EachTLS tells nothing.
func (s *Source) EachTLS(func(kind string, n uint64)) {}

// EachProgram tells nothing.
func (s *Source) EachProgram(func(program, outcome string, n uint64)) {}

// Close implements capture.Source.
func (s *Source) Close() error { return nil }
