// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

const (
	aQuery    = "1234 0100 0001 0000 0000 0000 03777777 076578616d706c65 00 0001 0001"
	aResponse = "1234 8180 0001 0001 0000 0000 03777777 076578616d706c65 00 0001 0001 c00c 0001 0001 0000012c 0004 c0000201"
)

func TestProbe(t *testing.T) {
	for _, test := range []struct {
		name, client, server string
		want                 dissect.Verdict
	}{
		{"query", aQuery, "", dissect.Yes},
		{"response", "", aResponse, dissect.Yes},
		{"response first", aResponse, "", dissect.Reversed},
		{"query of the other end", "", aQuery, dissect.Reversed},
		{"root", "0001 0100 0001 0000 0000 0000 00 0002 0001", "", dissect.Yes},
		{"update", "0001 2800 0001 0000 0001 0000 0161 00 0006 0001 c00c 0001 0001 0000003c 0004 c0000201", "", dissect.Yes},
		{"notify", "0001 2400 0001 0000 0000 0000 0161 00 0006 0001", "", dissect.Yes},
		{"announcement", "0000 8400 0000 0001 0000 0000 0161 00 0001 8001 00000078 0004 c0000201", "", dissect.Reversed},
		{"error without question", "0001 8001 0000 0000 0000 0000", "", dissect.Reversed},
		{"cut in a record", "", aResponse[:len(aResponse)-8], dissect.Yes},
		{"cut in the question", aQuery[:len(aQuery)-7], "", dissect.No},
		{"a byte after it", aQuery + "00", "", dissect.Yes},
		{"padding", aQuery + strings.Repeat("00", 200), "", dissect.Yes},
		{"padding of the response", "", aResponse + strings.Repeat("00", 32), dissect.Yes},
		{"other bytes after it", aQuery + "4d53 ff 20 41", "", dissect.Yes},
		{"padding after a question that is cut", aQuery[:len(aQuery)-4] + "0000", "", dissect.No},
		{"padding instead of records", "", aResponse[:45] + strings.Repeat("00", 32), dissect.No},
		{"Z bit", "1234 0140" + aQuery[9:], "", dissect.No},
		{"status opcode", "1234 1000" + aQuery[9:], "", dissect.No},
		{"query with a response code", "1234 0103" + aQuery[9:], "", dissect.No},
		{"no question", "1234 0100 0000 0000 0000 0000", "", dissect.No},
		{"unknown class", aQuery[:len(aQuery)-4] + "0007", "", dissect.No},
		{"unknown type", aQuery[:len(aQuery)-9] + "f123 0001", "", dissect.No},
		{"pointer in the first name", "1234 0100 0001 0000 0000 0000 c00c 0001 0001", "", dissect.No},
		{"label of 64 bytes", "1234 0100 0001 0000 0000 0000 40" + strings.Repeat("61", 64) + "00 0001 0001", "", dissect.No},
		{"name of 256 bytes", "1234 0100 0001 0000 0000 0000" + strings.Repeat("3f"+strings.Repeat("61", 63), 4) + "00 0001 0001", "", dissect.No},
		{"NetBIOS name service", "8006 0110 0001 0000 0000 0000 20" + strings.Repeat("4341", 16) + "00 0020 0001", "", dissect.No},
		{"NTP", "2300 0620" + strings.Repeat("00", 36) + "e1b8 407d 0000 0000", "", dissect.No},
		{"zeros", strings.Repeat("00", 64), "", dissect.No},
		{"nothing", "", "", dissect.No},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, UDP.Probe(unhex(t, test.client), unhex(t, test.server)))
		})
	}
}

func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func TestProbeStream(t *testing.T) {
	query, response := framed(unhex(t, aQuery)), framed(unhex(t, aResponse))
	assert.Equal(t, dissect.Yes, TCP.Probe(query, nil))
	assert.Equal(t, dissect.Yes, TCP.Probe(append(query, query[:5]...), nil))
	assert.Equal(t, dissect.Yes, TCP.Probe(nil, response))
	assert.Equal(t, dissect.Reversed, TCP.Probe(response, nil))
	assert.Equal(t, dissect.No, TCP.Probe(query[2:], nil), "without length")
	assert.Equal(t, dissect.Yes, TCP.Probe(framed(append(unhex(t, aQuery), "MS"...)), nil))
	for _, whole := range [][]byte{query, response} {
		for i := 1; i < len(whole); i++ {
			assert.NotEqual(t, dissect.No, TCP.Probe(whole[:i], nil), "%x", whole[:i])
		}
	}
	for _, other := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n", "PRI * HTTP/2.0\r\n\r\nSM", "SSH-2.0-OpenSSH_9.2\r\n", "*1\r\n$4\r\nPING\r\n", "EHLO a.example\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00", "J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00", "\x00\x00\x00\x08\x04\xd2\x16\x2f\x00\x00\x00\x00",
		"\x00\x00\x00\x23\x00\x12\x00\x04\x00\x00\x00\x01\x00\x07console", "AMQP\x00\x00\x09\x01\x00\x00\x00\x00\x00\x00",
	} {
		assert.Equal(t, dissect.No, TCP.Probe([]byte(other), nil), "%q", other)
	}
}

// TestProbeRandom shows random bytes, and a header that is right before random
// bytes.
func TestProbeRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 512)
	hits := 0
	for range 200_000 {
		for i := 0; i < len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], random.Uint64())
		}
		b := b[:12+random.IntN(500)]
		if UDP.Probe(b, nil) != dissect.No || TCP.Probe(b, nil) == dissect.Yes || TCP.Probe(b, nil) == dissect.Reversed {
			hits++
		}
	}
	assert.Zero(t, hits)
}

func TestProbeDoesNotAllocate(t *testing.T) {
	query, response := unhex(t, aQuery), unhex(t, aResponse)
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		UDP.Probe(query, response)
		TCP.Probe(query, response)
	}))
}

// TestConversationTakesWhatTheProbeTakes: an early Yes must not be a violation.
func TestConversationTakesWhatTheProbeTakes(t *testing.T) {
	for _, message := range []string{aQuery, aResponse} {
		_, err := parse(unhex(t, message), 1<<10)
		assert.NoError(t, err)
		b := unhex(t, message)
		assert.True(t, possible(b, len(b)))
	}
}

// What UDP traffic of other protocols costs until the decision.
func BenchmarkProbeOther(b *testing.B) {
	other := make([]byte, 1200)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range other {
		other[i] = byte(random.Uint32())
	}
	b.ReportAllocs()
	for b.Loop() {
		if UDP.Probe(other, nil) != dissect.No {
			b.Fatal("recognised")
		}
	}
}
