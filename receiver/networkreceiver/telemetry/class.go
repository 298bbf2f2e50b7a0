// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

// Class says how much a batch matters where not all can be kept.
type Class int

// Classes of batches.
const (
	Ordinary Class = iota
	Urgent         // calls that failed or were slow
	Classes
)

func (c Class) String() string { return [...]string{"ordinary", "urgent"}[c] }

// classOf is the class of the records of a call that is described.
func (b *Builder) classOf(c *call, errorType string) Class {
	if b.set.SlowCall == 0 {
		return Ordinary
	}
	if c.failed || errorType != "" || c.end()-c.start() >= int64(b.set.SlowCall) {
		return Urgent
	}
	return Ordinary
}
