// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissecttest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

var update = flag.Bool("update", false, "write the golden files anew; the test fails nevertheless")

// Golden compares what every fixture gives with the golden file beside it
// (NAME.golden.yaml). Of a protocol that has more than one transport, the
// dissectors run together.
func Golden(t *testing.T, d ...dissect.Dissector) {
	t.Helper()
	for _, script := range Load(t, "testdata/*.script") {
		t.Run(filepath.Base(script.Name), func(t *testing.T) {
			got := Run(script, d...).must(t)
			compare(t, script.Name, got.Text(Epoch))
		})
	}
	for _, name := range captures(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := RunCapture(t, name, d...).must(t)
			compare(t, name, got.Text(begin(got.Exchanges)))
		})
	}
}

func captures(tb testing.TB) []string {
	tb.Helper()
	names, err := filepath.Glob("testdata/*.pcap*")
	if err != nil {
		tb.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, ".yaml") })
}

// compare compares with the golden file of a fixture, or writes it.
func compare(t *testing.T, fixture, got string) {
	t.Helper()
	name := strings.TrimSuffix(fixture, filepath.Ext(fixture)) + ".golden.yaml"
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is written anew: look at the difference, then run without -update", name)
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v: run with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}
