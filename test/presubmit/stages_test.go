// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package presubmit

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const receiver = module + "/receiver/networkreceiver"

// stages in the order in which data flows.
var stages = []string{"capture", "conn", "dissect", "pair", "telemetry"}

// dissecttest is not part of the product.
const dissecttest = receiver + "/dissect/dissecttest"

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(run(t, []string{"GOOS=linux"}, "go", "list", "-e", "-json=ImportPath,Imports", "./..."))))
	var all []goPackage
	for {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			require.NotEmpty(t, all)
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// stageOf is the index of the stage that a package belongs to, or -1.
func stageOf(path string) int {
	for i, name := range stages {
		if within(path, receiver+"/"+name) {
			return i
		}
	}
	return -1
}

func TestStagesImportOnlyEarlierStages(t *testing.T) {
	seen := map[int]bool{}
	for _, p := range packages(t) {
		stage := stageOf(p.ImportPath)
		if stage < 0 || within(p.ImportPath, dissecttest) {
			continue
		}
		seen[stage] = true
		for _, imported := range p.Imports {
			assert.LessOrEqual(t, stageOf(imported), stage, "%s imports %s", p.ImportPath, imported)
			assert.NotEqual(t, receiver, imported, "%s imports the receiver", p.ImportPath)
		}
	}
	assert.Len(t, seen, len(stages))
}

// Each rule names folders, and who may use them.
func TestFarAwayThingsHavePlaces(t *testing.T) {
	rules := []struct {
		what    []string
		allowed []string
	}{
		{
			[]string{"go.opentelemetry.io/collector/pdata", "go.opentelemetry.io/collector/consumer"},
			[]string{receiver + "/telemetry", receiver + "/internal", module + "/exporter", module + "/processor", module + "/internal/testkit", module + "/test"},
		},
		{
			[]string{"github.com/cilium/ebpf", "golang.org/x/sys/unix"},
			[]string{module + "/bpf", receiver + "/capture", module + "/internal/testkit", module + "/test"},
		},
	}
	for _, rule := range rules {
		for _, p := range packages(t) {
			if p.ImportPath == receiver || withinAny(p.ImportPath, rule.allowed) {
				continue
			}
			for _, imported := range p.Imports {
				assert.False(t, withinAny(imported, rule.what), "%s imports %s", p.ImportPath, imported)
			}
		}
	}
}

func withinAny(path string, folders []string) bool {
	for _, folder := range folders {
		if within(path, folder) {
			return true
		}
	}
	return false
}

func TestDissectorsDoNotImportEachOther(t *testing.T) {
	borrowed := map[string]bool{"httpmessage": true, "preface": true, "application": true, "wire": true}
	shared := map[string]bool{"engine": true, "registry": true, "dissecttest": true, "httpmessage": true, "preface": true, "application": true, "wire": true}
	for _, p := range packages(t) {
		own, ok := dissectorOf(p.ImportPath)
		if !ok || shared[own] {
			continue
		}
		for _, imported := range p.Imports {
			other, ok := dissectorOf(imported)
			assert.False(t, ok && other != own && !borrowed[other], "%s imports %s", p.ImportPath, imported)
		}
	}
}

func dissectorOf(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, receiver+"/dissect/")
	name, _, _ := strings.Cut(rest, "/")
	return name, ok
}

func TestStagesSayWhatTheyAre(t *testing.T) {
	for i, stage := range stages {
		comment := regexp.MustCompile(`(?s)// Package ` + stage + ` is stage ` + string(rune('1'+i)) + ` of 5: (.*?)\npackage `)
		found := ""
		for _, path := range files(t, ".go") {
			if m := comment.FindStringSubmatch(read(t, path)); m != nil {
				found = m[1]
			}
		}
		assert.Contains(t, found, "takes", stage)
		assert.Contains(t, found, "gives", stage)
		assert.Contains(t, found, "bounds", stage)
	}
}
