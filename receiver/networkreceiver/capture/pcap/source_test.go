// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
)

// folder writes captures that hold one packet each, with the file's name as its
// payload, from the time that is given.
func folder(t testing.TB, began map[string]time.Duration) string {
	t.Helper()
	dir := t.TempDir()
	for name, at := range began {
		content := pcapFile(binary.LittleEndian, false, frame{link: 1, data: etherTCP(t, clientV4, serverV4, name), at: at})
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return dir
}

func payloads(r *recorder) (all []string) {
	for _, seg := range r.segments {
		all = append(all, string(seg.Payload))
	}
	return all
}

func TestFilesInOrderOfTheirFirstFrame(t *testing.T) {
	dir := folder(t, map[string]time.Duration{"a.pcap": 3 * time.Second, "b.pcap": time.Second, "c.pcapng": 2 * time.Second, "d.pcap": time.Second, "e.txt": 0})
	require.NoError(t, os.Mkdir(filepath.Join(dir, "z.pcap"), 0o700))
	shards, stats, errs := replay(t, pcap.Settings{Files: []string{filepath.Join(dir, "*.pcap"), filepath.Join(dir, "*.pcap*")}})
	require.NoError(t, errs[0])
	assert.Equal(t, []string{"b.pcap", "d.pcap", "c.pcapng", "a.pcap"}, payloads(shards[0]))
	assert.EqualValues(t, 4, stats.Files.Load())
}

func TestStartErrors(t *testing.T) {
	dir := folder(t, map[string]time.Duration{"a.pcap": 0})
	for name, test := range map[string]struct {
		files []string
		want  string
	}{
		"nothing set":         {nil, "no pattern is set"},
		"no match":            {[]string{filepath.Join(dir, "*.pcap"), filepath.Join(dir, "*.cap")}, "*.cap"},
		"only a directory":    {[]string{dir}, "no regular file matches"},
		"malformed pattern":   {[]string{"[a"}, "syntax error in pattern"},
		"file does not exist": {[]string{filepath.Join(dir, "b.pcap")}, "b.pcap"},
	} {
		t.Run(name, func(t *testing.T) {
			s := pcap.New(pcap.Settings{Files: test.files}, zap.NewNop(), new(pcap.Stats))
			assert.ErrorContains(t, s.Start(t.Context()), test.want)
			assert.NoError(t, s.Close())
		})
	}
}

// One broken file neither hides what it holds nor the other files, and one shard
// tells of it.
func TestBrokenFileAmongOthers(t *testing.T) {
	dir := folder(t, map[string]time.Duration{"a.pcap": 1 * time.Second, "b.pcap": 2 * time.Second, "c.pcap": 3 * time.Second})
	broken := filepath.Join(dir, "b.pcap")
	content, err := os.ReadFile(broken)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(broken, append(content, "tail"...), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d.pcap"), []byte("no capture at all"), 0o600))
	shards, stats, errs := replay(t, pcap.Settings{Files: []string{filepath.Join(dir, "*")}, Shards: 4})
	var got, reports []string
	for i, shard := range shards {
		got = append(got, payloads(shard)...)
		if joined, ok := errs[i].(interface{ Unwrap() []error }); ok {
			for _, err := range joined.Unwrap() {
				reports = append(reports, err.Error())
			}
		}
	}
	assert.Equal(t, []string{"a.pcap", "b.pcap", "c.pcap"}, got)
	assert.ElementsMatch(t, []string{
		fmt.Sprintf("read %s: at byte %d: unexpected EOF", broken, len(content)),
		fmt.Sprintf("read %s: at byte 0: read header: neither pcap nor pcapng: magic number 6e6f2063", filepath.Join(dir, "d.pcap")),
	}, reports)
	assert.EqualValues(t, 2, stats.FileErrors.Load())
}

// Both directions of a connection, with their fragments, are in one shard, and the
// connections are spread.
func TestShards(t *testing.T) {
	const connections, shardCount = 200, 4
	var frames []frame
	for i := range connections {
		client := netip.AddrPortFrom(clientV4.Addr(), uint16(10000+i))
		if i%2 == 1 {
			client = netip.AddrPortFrom(clientV6.Addr(), uint16(10000+i))
		}
		server := serverV4
		if client.Addr().Is6() {
			server = serverV6
		}
		frames = append(frames, frame{link: layers.LinkTypeRaw, data: bytesOf(t, tcpPacket(client, server, "request"))})
		for _, part := range fragmentsOf(bytesOf(t, tcpPacket(server, client, string(make([]byte, 2000)))), uint32(i), 800) {
			frames = append(frames, frame{link: layers.LinkTypeRaw, data: part})
		}
	}
	path := writeFile(t, "many.pcap", pcapFile(binary.LittleEndian, false, frames...))
	shards, stats, errs := replay(t, pcap.Settings{Files: []string{path}, Shards: shardCount})
	home := map[netip.AddrPort]int{}
	for i, shard := range shards {
		require.NoError(t, errs[i])
		assert.Greater(t, len(shard.segments), connections/shardCount, "shard %d", i)
		for _, seg := range shard.segments {
			client := seg.Source
			if seg.Source.Port() == 80 {
				client = seg.Destination
			}
			if was, ok := home[client]; ok {
				assert.Equal(t, was, i)
			}
			home[client] = i
		}
	}
	assert.Len(t, home, connections)
	assert.EqualValues(t, len(frames), stats.Packets.Load(), "packets are counted once")
	assert.EqualValues(t, 2*connections, stats.Segments.Load())
}

func TestTicks(t *testing.T) {
	var frames []frame
	for _, at := range []time.Duration{0, 50, 99, 100, 150, 210, 5000, 5001, 5100} {
		frames = append(frames, frame{link: 1, data: etherTCP(t, clientV4, serverV4, "x"), at: at * time.Millisecond})
	}
	path := writeFile(t, "ticks.pcap", pcapFile(binary.LittleEndian, true, frames...))
	for _, shards := range []int{1, 2} { // also the shard that has no segment
		all, _, _ := replay(t, pcap.Settings{Files: []string{path}, Shards: shards})
		for _, r := range all {
			var got []time.Duration
			for _, now := range r.ticks {
				got = append(got, time.Duration(now-began.UnixNano())/time.Millisecond)
			}
			assert.Equal(t, []time.Duration{0, 100, 210, 5000, 5100}, got)
		}
	}
}

// stopper cancels after a number of segments.
type stopper struct {
	recorder
	cancel context.CancelFunc
}

func (s *stopper) Segment(seg *capture.Segment) {
	s.recorder.Segment(seg)
	if len(s.segments) == 100 {
		s.cancel()
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	frames := make([][]byte, 10_000)
	for i := range frames {
		frames[i] = etherTCP(t, clientV4, serverV4, "x")
	}
	path := writeFile(t, "long.pcap", ethernetFile(frames...))
	s := pcap.New(pcap.Settings{Files: []string{path, path}}, zap.NewNop(), new(pcap.Stats))
	require.NoError(t, s.Start(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	h := &stopper{cancel: cancel}
	require.NoError(t, s.Run(ctx, 0, h))
	assert.Less(t, len(h.segments), 200)
}

func TestProgress(t *testing.T) {
	content := ethernetFile(bytes.Repeat([]byte{0}, 1000), etherTCP(t, clientV4, serverV4, "x"))
	compressed := gzipped(t, content)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), content, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), compressed, 0o600))
	s := pcap.New(pcap.Settings{Files: []string{filepath.Join(dir, "*")}, Shards: 2}, zap.NewNop(), new(pcap.Stats))
	require.NoError(t, s.Start(t.Context()))
	total := int64(len(content) + len(compressed))
	requireProgress := func(wantDone int64) {
		t.Helper()
		done, all := s.Progress()
		require.Equal(t, wantDone, done)
		require.Equal(t, total, all)
	}
	requireProgress(0)
	var wg sync.WaitGroup
	for shard := range s.Shards() {
		wg.Go(func() { assert.NoError(t, s.Run(t.Context(), shard, new(recorder))) })
	}
	wg.Wait()
	requireProgress(total)
	require.NoError(t, s.Close())
}

// Two files with one direction each are one conversation, unless merging is switched off;
// of those that follow each other no two are open at a time.
func TestFilesThatOverlap(t *testing.T) {
	dir := t.TempDir()
	for name, source := range map[string]netip.AddrPort{"a": clientV4, "b": serverV4} {
		destination, first := serverV4, 0
		if name == "b" {
			destination, first = clientV4, 1
		}
		var frames []frame
		for n := first; n < 200; n += 2 {
			frames = append(frames, frame{link: 1, data: etherTCP(t, source, destination, fmt.Sprint(n)), at: time.Duration(n/2*2+first) * time.Millisecond})
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pcapFile(binary.LittleEndian, false, frames...), 0o600))
	}
	merged, stats, errs := replay(t, pcap.Settings{Files: []string{filepath.Join(dir, "*")}})
	require.NoError(t, errs[0])
	assert.EqualValues(t, 2, stats.Files.Load())
	got := payloads(merged[0])
	require.Len(t, got, 200)
	for n, p := range got {
		require.Equal(t, fmt.Sprint(n), p)
	}
	apart, _, errs := replay(t, pcap.Settings{Files: []string{filepath.Join(dir, "*")}, Sequential: true})
	require.NoError(t, errs[0])
	got = payloads(apart[0])
	assert.Equal(t, []string{"0", "2", "198", "1", "199"}, []string{got[0], got[1], got[99], got[100], got[199]})
}

// More files than may be open at a time are all read.
func TestManyFilesThatOverlap(t *testing.T) {
	dir := t.TempDir()
	const files, each = 100, 5
	for i := range files {
		var frames []frame
		for n := range each {
			frames = append(frames, frame{link: 1, data: etherTCP(t, clientV4, serverV4, "x"), at: time.Duration(i+100*n) * time.Millisecond})
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), pcapFile(binary.LittleEndian, false, frames...), 0o600))
	}
	shards, stats, errs := replay(t, pcap.Settings{Files: []string{filepath.Join(dir, "*")}})
	require.NoError(t, errs[0])
	assert.EqualValues(t, files, stats.Files.Load())
	assert.Len(t, shards[0].segments, files*each)
}

// A connection that was captured before and after its addresses were translated is told
// once, in whatever shard; a later one with the same ends is another one.
func TestCapturedBeforeAndAfterTranslation(t *testing.T) {
	translated := netip.MustParseAddrPort("203.0.113.77:1025")
	var frames [][]byte
	for _, isn := range []uint32{100, 900} {
		inside, outside := clientV4, translated
		if isn == 900 {
			inside, outside = translated, clientV4 // what was left out is a connection of its own
		}
		frames = append(frames,
			handshakePart(t, inside, serverV4, isn, 0, "S", ""), handshakePart(t, outside, serverV4, isn, 0, "S", ""),
			handshakePart(t, serverV4, inside, 300, isn+1, "SA", ""), handshakePart(t, serverV4, outside, 300, isn+1, "SA", ""),
			handshakePart(t, inside, serverV4, isn+1, 301, "A", hello), handshakePart(t, outside, serverV4, isn+1, 301, "A", hello),
		)
	}
	file := writeFile(t, "any.pcap", ethernetFile(frames...))
	for _, shards := range []int{1, 4} {
		all, stats, errs := replay(t, pcap.Settings{Files: []string{file}, Shards: shards})
		require.NoError(t, errs[0])
		var requests []netip.AddrPort
		for _, r := range all {
			for _, seg := range r.segments {
				if len(seg.Payload) > 0 {
					requests = append(requests, seg.Source)
				}
			}
		}
		assert.ElementsMatch(t, []netip.AddrPort{clientV4, translated}, requests)
		assert.EqualValues(t, 4, stats.Translated.Load())
		assert.EqualValues(t, len(frames), stats.Segments.Load())
	}
}

// Connections that use the same initial sequence numbers one after the other are no copies
// of one another.
func TestSameSequenceNumbersAgain(t *testing.T) {
	var frames [][]byte
	var want []string
	for i := range 3 {
		client := netip.AddrPortFrom(clientV4.Addr(), clientV4.Port()+uint16(i))
		request := fmt.Sprintf("GET /%d HTTP/1.1\r\n\r\n", i)
		frames = append(frames,
			handshakePart(t, client, serverV4, 100, 0, "S", ""), handshakePart(t, serverV4, client, 300, 101, "SA", ""),
			handshakePart(t, client, serverV4, 101, 301, "A", request))
		want = append(want, request)
	}
	all, stats, errs := replay(t, pcap.Settings{Files: []string{writeFile(t, "again.pcap", ethernetFile(frames...))}})
	require.NoError(t, errs[0])
	assert.Zero(t, stats.Translated.Load())
	assert.Equal(t, want, slices.DeleteFunc(payloads(all[0]), func(p string) bool { return p == "" }))
}

// handshakePart is a TCP packet with the given sequence numbers and flags ("S", "SA", "A").
func handshakePart(t testing.TB, from, to netip.AddrPort, seq, ack uint32, flags, payload string) []byte {
	l := tcpLayer(from, to)
	l.Seq, l.Ack, l.PSH = seq, ack, false
	l.SYN, l.ACK = flags[0] == 'S', flags[len(flags)-1] == 'A'
	return bytesOf(t, stack{ether(layers.EthernetTypeIPv4), ip(from, to, layers.IPProtocolTCP), l, gopacket.Payload(payload)})
}
