// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wirespan/wirespan/internal/testkit"
	"github.com/wirespan/wirespan/internal/testkit/truth"
)

// TestTLSEventLoops lets programs on an event loop open several connections and call over all of
// them at once, through a relay on the same kind of loop, which is a server and a client. All
// calls are of one length, so that nothing but their bytes tells them apart. Each is there at
// each of four ends, with its own response, from the first on.
//
// Connections that are older than the collector are known when they have sent something: each
// connection's first calls may be missing, the later ones are whole, and none has a response of another.
func TestTLSEventLoops(t *testing.T) {
	testkit.NeedRoot(t)
	const connections, rounds = 8, 5
	certificates := testkit.NewCertificates(t)
	backend := testkit.GoServerTLS(t, certificates)
	ports := []int{backend.Port()}
	relays, older := map[string]*testkit.Server{}, map[string]testkit.TLSLoopClient{}
	for _, loop := range testkit.TLSLoops() {
		relays[loop] = testkit.TLSLoopRelay(t, certificates, loop, backend)
		older[loop] = testkit.StartTLSLoopClient(t, certificates, loop, relays[loop], connections)
		older[loop].Round("unseen-" + loop)
		ports = append(ports, relays[loop].Port())
	}
	collector := live(t, testkit.M{"capture": testkit.M{"ebpf": testkit.M{"include": testkit.M{"ports": ports}}}})

	var wants []want
	note := func(loop string, calls []truth.Call) {
		for _, call := range calls {
			wants = append(wants, want{call, append(ends(call.PID, relays[loop].PID()), ends(relays[loop].PID(), backend.PID())...)})
		}
	}
	for _, loop := range testkit.TLSLoops() {
		older[loop].Round("first-" + loop)
		note(loop, older[loop].Round("older-"+loop))
		client := testkit.StartTLSLoopClient(t, certificates, loop, relays[loop], connections)
		for round := range rounds {
			note(loop, client.Round(fmt.Sprintf("round%d-%s", round, loop)))
		}
	}
	collector.AwaitSpans(wants[len(wants)-1].Sequence, 4)
	collector.Shutdown()
	calls := collector.Calls()
	checkCalls(t, calls.Where(func(call testkit.Call) bool { return !strings.HasPrefix(call.Sequence(), "first-") }), wants)
	for _, call := range calls {
		asked, answered := call.Sequence(), call.Response.Header(truth.SequenceHeader)
		if asked != "" && answered != "" {
			assert.Equal(t, asked, answered, "response at the %v", call.Kind)
		}
	}
	var rows []tlsRow
	for _, loop := range testkit.TLSLoops() {
		row := rowOf("libssl, in memory", loop, "client, server, and server that is a client")
		if loop != "asyncio" {
			row.version = []string{"/usr/bin/python3", "-c", "import " + loop + "; print(" + loop + ".__version__)"}
		}
		rows = append(rows, row)
	}
	tellTLS(t, rows)
}
