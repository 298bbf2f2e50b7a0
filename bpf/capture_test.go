// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package bpf

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a constant says is not in use, the verifier does not look at.
func TestKernelAcceptsPrograms(t *testing.T) {
	for localCalls := range uint32(3) {
		spec, err := LoadCapture()
		require.NoError(t, err)
		require.NoError(t, spec.Variables[CaptureVarLocalCalls].Set(localCalls))
		var o CaptureObjects
		err = spec.LoadAndAssign(&o, nil)
		if verifier, ok := errors.AsType[*ebpf.VerifierError](err); ok {
			t.Fatalf("%d: %+v", localCalls, verifier)
		}
		require.NoError(t, err)
		require.NoError(t, o.Close())
	}
}

// The Go types have the layout that the C compiler chose, and it chose nothing:
// there is no padding but what is written out.
func TestLayout(t *testing.T) {
	spec, err := LoadCapture()
	require.NoError(t, err)
	for name, value := range map[string]any{
		"packet_record": CapturePacketRecord{},
		"owner_record":  CaptureOwnerRecord{},
		"process_key":   CaptureProcessKey{},
		"process":       CaptureProcess{},
		"losses":        CaptureLosses{},
		"prefix":        CapturePrefix{},
		"filter_name":   CaptureFilterName{},
		"socket_state":  CaptureSocketState{},
		"flow":          CaptureFlow{},
	} {
		t.Run(name, func(t *testing.T) {
			var c *btf.Struct
			require.NoError(t, spec.Types.TypeByName(name, &c))
			goType := reflect.TypeOf(value)
			assert.Equal(t, uintptr(c.Size), goType.Size())
			next := uint32(0)
			for _, m := range c.Members {
				assert.Equal(t, next, m.Offset.Bytes(), "%s is preceded by padding that is not written out", m.Name)
				f, ok := goType.FieldByNameFunc(func(s string) bool {
					return strings.EqualFold(s, strings.ReplaceAll(m.Name, "_", ""))
				})
				require.True(t, ok, m.Name)
				assert.Equal(t, uintptr(m.Offset.Bytes()), f.Offset, m.Name)
				size, err := btf.Sizeof(m.Type)
				require.NoError(t, err)
				assert.Equal(t, uintptr(size), f.Type.Size(), m.Name)
				next += uint32(size)
			}
			assert.Equal(t, c.Size, next, "there is padding at the end that is not written out")
		})
	}
}

func TestProgramsAreGPLCompatible(t *testing.T) {
	spec, err := LoadCapture()
	require.NoError(t, err)
	for _, p := range spec.Programs {
		assert.Equal(t, "Dual MIT/GPL", p.License, "helpers that read kernel memory need it")
	}
}
