// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// The committed objects.
// The objects of each architecture: the programs at the sockets, and those in the
// libraries, which are loaded after them.
var (
	objectsAMD64 = [...]string{"capture_x86_bpfel.o", "tls_x86_bpfel.o"}
	objectsARM64 = [...]string{"capture_arm64_bpfel.o", "tls_arm64_bpfel.o"}
)

// size is the number of instructions of a program for each architecture. The
// functions that it calls are counted with it, as the verifier sees them.
type size struct{ amd64, arm64 int }

func countAll(dir string) (map[string]size, error) {
	all := map[string]size{}
	for i := range objectsAMD64 {
		amd64, err := count(filepath.Join(dir, objectsAMD64[i]))
		if err != nil {
			return nil, err
		}
		arm64, err := count(filepath.Join(dir, objectsARM64[i]))
		if err != nil {
			return nil, err
		}
		for name, n := range amd64 {
			all[name] = size{n, arm64[name]}
		}
	}
	return all, nil
}

func count(path string) (map[string]int, error) {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	all := make(map[string]int, len(spec.Programs))
	for name, p := range spec.Programs {
		all[name] = int(p.Instructions.Size() / asm.InstructionSize)
	}
	return all, nil
}
