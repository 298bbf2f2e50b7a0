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
		require.NoError(t, accepted(t, spec.LoadAndAssign(&o, nil)))
		require.NoError(t, o.Close())
	}
}

// The programs in the libraries get the maps that they have in common with those at
// the sockets.
func TestKernelAcceptsTLSPrograms(t *testing.T) {
	for _, looks := range []bool{false, true} {
		spec, err := LoadCapture()
		require.NoError(t, err)
		require.NoError(t, spec.Variables[CaptureVarTls].Set(true))
		var o CaptureObjects
		require.NoError(t, accepted(t, spec.LoadAndAssign(&o, nil)))
		spec, err = LoadTLS()
		require.NoError(t, err)
		if looks {
			require.NoError(t, spec.Variables[TLSVarProcessRules].Set(uint32(1)))
		}
		var p TLSObjects
		require.NoError(t, accepted(t, spec.LoadAndAssign(&p, &ebpf.CollectionOptions{MapReplacements: o.Shared()})))
		require.NoError(t, p.Close())
		require.NoError(t, o.Close())
	}
}

func accepted(t *testing.T, err error) error {
	t.Helper()
	if verifier, ok := errors.AsType[*ebpf.VerifierError](err); ok {
		t.Fatalf("%+v", verifier)
	}
	return err
}

// The Go types have the layout that the C compiler chose, and it chose nothing:
// there is no padding but what is written out.
func TestLayout(t *testing.T) {
	sockets, err := LoadCapture()
	require.NoError(t, err)
	libraries, err := LoadTLS()
	require.NoError(t, err)
	for name, value := range map[string]any{
		"plaintext_record": TLSPlaintextRecord{},
		"process_rule":     TLSProcessRule{},
		"call":             TLSCall{},
		"call_key":         TLSCallKey{},
		"session":          TLSSession{},
		"session_key":      TLSSessionKey{},
		"coverage":         CaptureCoverage{},
		"event":            CaptureEvent{},
		"packet_record":    CapturePacketRecord{},
		"owner_record":     CaptureOwnerRecord{},
		"process_key":      CaptureProcessKey{},
		"process":          CaptureProcess{},
		"losses":           CaptureLosses{},
		"prefix":           CapturePrefix{},
		"filter_name":      CaptureFilterName{},
		"socket_state":     CaptureSocketState{},
		"flow":             CaptureFlow{},
	} {
		t.Run(name, func(t *testing.T) {
			var c *btf.Struct
			if sockets.Types.TypeByName(name, &c) != nil {
				require.NoError(t, libraries.Types.TypeByName(name, &c))
			}
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
	for _, load := range []func() (*ebpf.CollectionSpec, error){LoadCapture, LoadTLS} {
		spec, err := load()
		require.NoError(t, err)
		for _, p := range spec.Programs {
			assert.Equal(t, "Dual MIT/GPL", p.License, "helpers that read kernel memory need it")
		}
	}
}
