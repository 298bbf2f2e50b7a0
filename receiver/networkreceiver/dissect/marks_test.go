// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dissect_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/receiver/networkreceiver/conn"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func TestMarks(t *testing.T) {
	first := conn.Mark{Time: 1, Offset: 10, Seq: 0xfffffffe, Ack: 7}
	second := conn.Mark{Time: 2, Offset: 13, Seq: 1, Ack: 8}
	for name, test := range map[string]struct {
		marks dissect.Marks
		at    int
		want  conn.Mark
	}{
		"one segment":            {dissect.MarksOf(first), 0, first},
		"one segment, inside":    {dissect.MarksOf(first), 3, conn.Mark{Time: 1, Offset: 13, Seq: 1, Ack: 7}},
		"several, first byte":    {dissect.MarksOver([]dissect.MarkAt{{0, first}, {3, second}}), 0, first},
		"several, before border": {dissect.MarksOver([]dissect.MarkAt{{0, first}, {3, second}}), 2, conn.Mark{Time: 1, Offset: 12, Seq: 0, Ack: 7}},
		"several, at border":     {dissect.MarksOver([]dissect.MarkAt{{0, first}, {3, second}}), 3, second},
		"several, after border":  {dissect.MarksOver([]dissect.MarkAt{{0, first}, {3, second}}), 5, conn.Mark{Time: 2, Offset: 15, Seq: 3, Ack: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, test.marks.At(test.at))
		})
	}
}
