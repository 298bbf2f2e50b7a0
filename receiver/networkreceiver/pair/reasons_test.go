// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pair

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

// reasons has for each reason what leads to it, and to no other.
var reasons = map[string][]act{
	"gap":               {q("q1"), lose(dissect.ToClient), closed("fin")},
	"midway":            {joined(dissect.ToServer), joined(dissect.ToClient), p("p0"), closed("fin")},
	"memory":            {q("q1"), act{loss: dissect.ReasonMemory, dir: dissect.ToClient}, closed("fin")},
	"violation":         {q("q1"), act{loss: dissect.ReasonViolation, dir: dissect.ToClient}, closed("fin")},
	"fin":               {q("q1"), closed("fin")},
	"rst":               {q("q1"), closed("rst")},
	"timeout":           {q("q1"), tick(11)},
	"idle":              {q("q1"), closed("idle")},
	"evicted":           {q("q1"), closed("evicted")},
	"reused":            {q("q1"), closed("reused")},
	"upgrade":           {q("q1"), closed("upgrade")},
	"shutdown":          {q("q1"), closed("shutdown")},
	"outstanding_limit": {q("q1"), q("q2"), q("q3"), q("q4")},
	"superseded":        {q("q1").with(1), q("q2").with(1)},
	"unsolicited":       {q("q1"), p("p1"), p("p408")},
}

func TestReasons(t *testing.T) {
	for reason, acts := range reasons {
		t.Run(reason, func(t *testing.T) {
			s := dissect.Session{
				Conn:   &conn.Conn{Transport: capture.TCP, Midway: reason == "midway"},
				Limits: dissect.Limits{Outstanding: 3, Age: 10 * second},
			}
			got := play(&s, acts)
			assert.Contains(t, []string{"q1/- " + reason, "-/p0 " + reason, "-/p408 " + reason}, got[len(got)-1])
		})
	}
}

// TestReasonsAreDocumented compares them with the table in docs/telemetry.md.
func TestReasonsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/telemetry.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:lost|given up|pairing) \\|").FindAllSubmatch(page, -1) {
		documented = append(documented, string(row[1]))
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(reasons)), documented)
}
