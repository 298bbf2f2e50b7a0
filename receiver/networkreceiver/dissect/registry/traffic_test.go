// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/dissecttest"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/registry"
)

// labels are what the connections of a folder begin as. A folder that is not named here
// is one of a protocol with a beginning of its own.
var labels = map[string][]string{
	"websocket": {"http"},
	"http2":     {"http2", "http"}, // h2c is asked for in HTTP/1
	"genai":     {"http", "http2"},
	"graphql":   {"http", "http2"},
	"grpc":      {"http", "http2"},
	"jsonrpc":   {"http", "http2"},
	"sse":       {"http", "http2"},
	// Of a header that is not valid only the answer is claimed.
	"proxyprotocol": {"proxyprotocol", "http"},
	// A protocol that is made up for tests of the engine.
	"dissecttest": {},
}

// others are beginnings that are not claimed by the folder's protocol, or not by it alone.
var others = map[string][]string{
	"foreign.script 192.0.2.1:40000":      {},              // datagrams that look like DNS and are not
	"unbound.pcap 127.0.0.1:48157":        {},              // a query without a question (RFC 7873, section 5.4)
	"v5-not-socks.script 192.0.2.1:40000": {"http"},        // an answer that is not of SOCKS
	"not-tls.script 192.0.2.1:40000":      {"tls", "http"}, // a server that answers TLS in HTTP
	"http-to-tls.pcap 127.0.0.1:49918":    {"http"},        // HTTP to a server of TLS
}

// TestLabelledTraffic shows the beginning of each fixture's connections to all probes:
// just one says Yes, and it is that of the fixture's protocol.
func TestLabelledTraffic(t *testing.T) {
	claimed := map[string]int{}
	for _, folder := range fixtures(t) {
		protocol := filepath.Base(filepath.Dir(folder))
		for _, b := range dissecttest.Beginnings(t, folder, 4<<10) {
			if len(b.Client) == 0 {
				continue
			}
			yes := claims(&b)
			if slices.Contains(yes, "proxyprotocol") { // the server's first bytes are of what follows the header
				yes = []string{"proxyprotocol"}
			}
			if want, ok := others[b.Name]; ok {
				assert.ElementsMatch(t, want, yes, "%s %s", protocol, b.Name)
				continue
			}
			want, ok := labels[protocol]
			if !ok {
				want = []string{protocol}
			}
			if len(want) == 0 {
				assert.Empty(t, yes, "%s %s", protocol, b.Name)
				continue
			}
			if assert.Len(t, yes, 1, "%s %s: %.60q %.60q", protocol, b.Name, b.Client, b.Server) {
				assert.Contains(t, want, yes[0], "%s %s", protocol, b.Name)
				claimed[yes[0]]++
			}
		}
	}
	for _, d := range registry.All() {
		if name := d.Info().Name; name != "websocket" { // has no beginning of its own
			assert.Positive(t, claimed[name], "no fixture begins as %s", name)
		}
	}
}

func fixtures(t *testing.T) (folders []string) {
	t.Helper()
	for _, pattern := range []string{"../*/testdata", "../application/*/testdata"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		folders = append(folders, found...)
	}
	return folders
}

// claims are the names of the dissectors that say Yes to a beginning.
func claims(b *dissecttest.Beginning) (yes []string) {
	for _, d := range registry.All() {
		if d.Info().Transport != b.Transport {
			continue
		}
		if v := d.Probe(b.Client, b.Server); v == dissect.Yes || v == dissect.Reversed {
			yes = append(yes, d.Info().Name)
		}
	}
	return yes
}
