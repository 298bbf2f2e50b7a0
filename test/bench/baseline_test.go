// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/gopacket/gopacket/reassembly"
	"github.com/stretchr/testify/require"
)

// plain is what people build in Go today: gopacket's decoder and reassembly, and
// for each direction a goroutine in which net/http reads messages with their whole
// bodies. It makes no records.
type plain struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	calls int // responses read
}

func gopacketHTTP(tb testing.TB, f *file) (calls int) {
	tb.Helper()
	in, err := os.Open(f.path)
	require.NoError(tb, err)
	defer in.Close()
	r, err := pcapgo.NewReader(bufio.NewReaderSize(in, 256<<10))
	require.NoError(tb, err)
	p := &plain{}
	assembler := reassembly.NewAssembler(reassembly.NewStreamPool(p))
	packets := gopacket.NewPacketSource(r, r.LinkType())
	packets.Lazy, packets.NoCopy = true, true
	for {
		packet, err := packets.NextPacket()
		if err == io.EOF {
			break
		}
		require.NoError(tb, err)
		if tcp, ok := packet.TransportLayer().(*layers.TCP); ok {
			assembler.AssembleWithContext(packet.NetworkLayer().NetworkFlow(), tcp, at(packet.Metadata().CaptureInfo))
		}
	}
	assembler.FlushAll()
	p.wg.Wait()
	return p.calls
}

// at implements reassembly.AssemblerContext.
type at gopacket.CaptureInfo

func (c at) GetCaptureInfo() gopacket.CaptureInfo { return gopacket.CaptureInfo(c) }

// New implements reassembly.StreamFactory.
func (p *plain) New(_, _ gopacket.Flow, tcp *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	s := &stream{toServer: pipe{bytes: make(chan []byte, 16)}, toClient: pipe{bytes: make(chan []byte, 16)}}
	p.wg.Go(func() { s.toServer.requests() })
	p.wg.Go(func() {
		n := s.toClient.responses()
		p.mu.Lock()
		p.calls += n
		p.mu.Unlock()
	})
	return s
}

// stream implements reassembly.Stream.
type stream struct{ toServer, toClient pipe }

func (*stream) Accept(*layers.TCP, gopacket.CaptureInfo, reassembly.TCPFlowDirection, reassembly.Sequence, *bool, reassembly.AssemblerContext) bool {
	return true
}

func (s *stream) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	n, _ := sg.Lengths()
	if n == 0 {
		return
	}
	b := bytes.Clone(sg.Fetch(n))
	if dir, _, _, _ := sg.Info(); dir == reassembly.TCPDirClientToServer {
		s.toServer.bytes <- b
	} else {
		s.toClient.bytes <- b
	}
}

func (s *stream) ReassemblyComplete(reassembly.AssemblerContext) bool {
	close(s.toServer.bytes)
	close(s.toClient.bytes)
	return true
}

// pipe is an io.Reader of what comes through a channel.
type pipe struct {
	bytes chan []byte
	rest  []byte
}

func (p *pipe) Read(b []byte) (int, error) {
	for len(p.rest) == 0 {
		next, ok := <-p.bytes
		if !ok {
			return 0, io.EOF
		}
		p.rest = next
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pipe) requests() {
	r := bufio.NewReader(p)
	for {
		m, err := http.ReadRequest(r)
		if err != nil {
			break
		}
		_, _ = io.ReadAll(m.Body)
		_ = m.Body.Close()
	}
	_, _ = io.Copy(io.Discard, r)
}

func (p *pipe) responses() (n int) {
	r := bufio.NewReader(p)
	for {
		m, err := http.ReadResponse(r, nil)
		if err != nil {
			break
		}
		_, _ = io.ReadAll(m.Body)
		_ = m.Body.Close()
		n++
	}
	_, _ = io.Copy(io.Discard, r)
	return n
}

// tshark prints the fields of all calls, with their bodies, and gives the number
// of responses.
func tshark(tb testing.TB, name string) (calls int) {
	tb.Helper()
	out, err := exec.Command("tshark", "-n", "-r", name, "-Y", "http.response", "-T", "fields",
		"-e", "frame.time_epoch", "-e", "ip.src", "-e", "tcp.dstport", "-e", "http.response.code", "-e", "http.response_for.uri",
		"-e", "http.time", "-e", "http.file_data").Output()
	require.NoError(tb, err)
	return bytes.Count(out, []byte{'\n'})
}
