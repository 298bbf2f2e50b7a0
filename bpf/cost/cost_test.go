// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The objects are generated deterministically: a count that differs means that
// the programs changed, and what they cost with them.
func TestObjectsCostWhatIsCommitted(t *testing.T) {
	sizes, err := countAll("..")
	require.NoError(t, err)
	require.NotEmpty(t, sizes)
	committed, err := readFile(filepath.Join("..", fileName))
	require.NoError(t, err)
	require.NoError(t, compare(sizes, committed))
}

func TestVerifierOfThisKernel(t *testing.T) {
	l, err := verifyAll("..")
	require.NoError(t, err)
	for name, filtered := range l.filtered {
		assert.Less(t, filtered.verified, verifierLimit/2, "%s leaves no room for other kernels' verifiers", name)
		assert.Positive(t, l.plain[name].verified, name)
		assert.Positive(t, filtered.peakStates, name)
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	err := compare(map[string]size{"a": {1, 2}, "b": {3, 4}, "new": {5, 6}},
		map[string]entry{"a": {size: size{1, 2}}, "b": {size: size{3, 5}}, "old": {}})
	require.EqualError(t, err, "b has 3 (amd64) and 4 (arm64) instructions, cost.txt says 3 and 5\n"+
		"new has 5 (amd64) and 6 (arm64) instructions, cost.txt says 0 and 0\n"+
		"old is in cost.txt only\n"+
		"if that is meant: make verifier-cost UPDATE=1")
}

func TestFileIsReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), fileName)
	require.NoError(t, writeFile(path, map[string]size{"egress": {10, 11}, "ingress": {20, 21}}, loads{
		kernel:   "6.12.3+deb13-amd64",
		filtered: map[string]load{"egress": {verified: 100, peakStates: 7}, "ingress": {verified: 200, peakStates: 8}},
	}))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "a verifier (Linux 6.12,")
	all, err := readFile(path)
	require.NoError(t, err)
	assert.Equal(t, map[string]entry{"egress": {size{10, 11}, 100, 7}, "ingress": {size{20, 21}, 200, 8}}, all)
}

func TestParseLog(t *testing.T) {
	l, err := parseLog("verification time 4321 usec\nstack depth 112+240\n" +
		"processed 12345 insns (limit 1000000) max_states_per_insn 9 total_states 640 peak_states 321 mark_read 28\n")
	require.NoError(t, err)
	assert.Equal(t, load{12345, 321, "112+240"}, l)
	_, err = parseLog("")
	require.ErrorContains(t, err, "no statistics")
}
