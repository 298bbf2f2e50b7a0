// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/handshake"
	"github.com/wirespan/wirespan/receiver/networkreceiver/pair"
)

// clientHello and serverHello are what both analysers tell of hellos, as a line each.
func clientHello(client, server, name, ja3 string, alpn []string) string {
	return fmt.Sprintf("%s asks %s for %q, JA3 %s, ALPN %q", client, server, name, ja3, alpn)
}

func serverHello(client, server, ja3s string, cipher uint16) string {
	return fmt.Sprintf("%s answers %s with %04x, JA3S %s", server, client, cipher, ja3s)
}

// hellosOf is what Wirespan tells.
func hellosOf(x *pair.Exchange, client, server string) (lines []string) {
	if x.Request != nil {
		if h, ok := x.Request.Protocol.(*handshake.ClientHello); ok {
			lines = append(lines, clientHello(client, server, h.ServerName, h.JA3, h.ALPN))
		}
	}
	if x.Response != nil {
		if o, ok := x.Response.Protocol.(*handshake.Outcome); ok && o.Version != 0 {
			lines = append(lines, serverHello(client, server, o.JA3S, o.Cipher))
		}
	}
	return lines
}

func tlsOracle(t testing.TB, file string) (lines []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder(t), "oracle", filepath.Base(file)+".jsonl"))
	require.NoError(t, err)
	for line := range bytes.Lines(b) {
		if !bytes.Contains(line, []byte(`"proto": "tls"`)) {
			continue
		}
		var o struct {
			Src, Dst, SNI, JA3, JA3S string
			Type                     int
			ALPN                     []string
			Cipher                   uint16
		}
		require.NoError(t, json.Unmarshal(line, &o), "%s", line)
		switch o.Type {
		case 1:
			lines = append(lines, clientHello(o.Src, o.Dst, o.SNI, o.JA3, o.ALPN))
		case 2:
			lines = append(lines, serverHello(o.Dst, o.Src, o.JA3S, o.Cipher))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestTLSOracle finds every hello that the other analyser finds, with the same
// fingerprints.
func TestTLSOracle(t *testing.T) {
	total := 0
	for _, file := range captures(t) {
		name := filepath.Base(file)
		want := tlsOracle(t, file)
		got := run(t, file, memoryLimit).hellos
		slices.Sort(got)
		total += len(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: hellos (- the oracle's, + ours):\n%s", name, diff)
		}
	}
	t.Logf("all captures: %d hellos", total)
	require.NotZero(t, total)
}
