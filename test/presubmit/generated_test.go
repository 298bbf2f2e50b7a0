// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever adds our components to a build of their own needs no clang.
func TestObjectsAreInTheRepository(t *testing.T) {
	objects := map[string]bool{}
	for _, path := range files(t, "_bpfel.go", "_bpfel.o") {
		objects[path] = true
	}
	require.NotEmpty(t, objects)
	for path := range objects {
		base, _, ok := strings.Cut(path, "_x86_bpfel.")
		if !ok {
			base, _, ok = strings.Cut(path, "_arm64_bpfel.")
		}
		require.True(t, ok, path)
		for _, end := range []string{"_x86_bpfel.go", "_x86_bpfel.o", "_arm64_bpfel.go", "_arm64_bpfel.o"} {
			assert.True(t, objects[base+end], "%s is not there", base+end)
		}
	}
}

// The tests of one architecture don't compile the other's bindings.
func TestArm64Builds(t *testing.T) {
	run(t, []string{"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}, "go", "build", "./bpf", "./receiver/networkreceiver/capture/ebpf")
}
