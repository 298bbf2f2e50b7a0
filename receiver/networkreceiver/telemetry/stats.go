// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "sync/atomic"

// Stats counts what one Builder did.
type Stats struct {
	Exchanges      atomic.Uint64 // exchanges taken
	Abandoned      atomic.Uint64 // exchanges and events for which there was no time left to build records
	Spans          atomic.Uint64 // spans built
	LogRecords     atomic.Uint64 // log records built
	Batches        atomic.Uint64 // batches handed over, of either signal
	Incomplete     atomic.Uint64 // exchanges of which something is missing, lost or cut
	BodiesCut      atomic.Uint64 // bodies of which MaxBody or a media type kept something from the log record
	HeadersDropped atomic.Uint64 // header and trailer fields above the limit of fields per message
	Redactions     atomic.Uint64 // values replaced by redaction
	Lookups        atomic.Uint64 // exchanges remembered because they look up a name
	LookupsDropped atomic.Uint64 // of them those that were forgotten before their time, because there were too many
	LookupsLinked  atomic.Uint64 // calls that were linked to the lookups that their connection was opened with
	LookupsLate    atomic.Uint64 // lookups that came when the call that they served was gone
	Translated     atomic.Uint64 // connections of which the source knew where packets really go
	Forwarded      atomic.Uint64 // CLIENT spans put below the SERVER span with whose context the process made the call
	TraceExtracted atomic.Uint64 // exchanges that joined the trace of their headers
	TraceDerived   atomic.Uint64 // exchanges whose trace id was derived from TCP sequence numbers
	TraceLocal     atomic.Uint64 // exchanges whose trace id only this end can know
}
