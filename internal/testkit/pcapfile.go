// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/stretchr/testify/require"
)

// CaptureStart is the time of the first packet of every file that WritePcap makes.
var CaptureStart = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// WritePcap writes a capture file with one TCP connection per conversation, each
// from its handshake to its end. A conversation is what client and server say, in
// turn, in segments of at most 1000 bytes, 1 ms apart.
func WritePcap(t testing.TB, path string, conversations ...[]string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := &pcapWriter{t: t, w: pcapgo.NewWriterNanos(f), now: CaptureStart}
	require.NoError(t, w.w.WriteFileHeader(1<<16, layers.LinkTypeEthernet))
	for n, turns := range conversations {
		w.conversation(40_000+n, turns)
	}
}

type pcapWriter struct {
	t   testing.TB
	w   *pcapgo.Writer
	now time.Time
}

// station is one end of a connection.
type station struct {
	mac  net.HardwareAddr
	ip   net.IP
	port layers.TCPPort
	seq  uint32
}

func (w *pcapWriter) conversation(port int, turns []string) {
	client := &station{net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.IPv4(192, 0, 2, 1), layers.TCPPort(port), uint32(port) << 16}
	server := &station{net.HardwareAddr{2, 0, 0, 0, 0, 2}, net.IPv4(192, 0, 2, 2), 80, uint32(port) << 15}
	w.segment(client, server, &layers.TCP{SYN: true}, "")
	w.segment(server, client, &layers.TCP{SYN: true, ACK: true}, "")
	w.segment(client, server, &layers.TCP{ACK: true}, "")
	from, to := client, server
	for _, turn := range turns {
		for len(turn) > 0 {
			n := min(len(turn), 1000)
			w.segment(from, to, &layers.TCP{ACK: true, PSH: true}, turn[:n])
			turn = turn[n:]
		}
		from, to = to, from
	}
	w.segment(client, server, &layers.TCP{FIN: true, ACK: true}, "")
	w.segment(server, client, &layers.TCP{FIN: true, ACK: true}, "")
	w.segment(client, server, &layers.TCP{ACK: true}, "")
}

func (w *pcapWriter) segment(from, to *station, tcp *layers.TCP, payload string) {
	tcp.SrcPort, tcp.DstPort, tcp.Seq, tcp.Window = from.port, to.port, from.seq, 65_535
	if tcp.ACK {
		tcp.Ack = to.seq
	}
	from.seq += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		from.seq++
	}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: from.ip, DstIP: to.ip}
	require.NoError(w.t, tcp.SetNetworkLayerForChecksum(ip))
	w.packet(from, to, ip, tcp, gopacket.Payload(payload))
}

// packet writes one packet, 1 ms after the last one.
func (w *pcapWriter) packet(from, to *station, upper ...gopacket.SerializableLayer) {
	ether := &layers.Ethernet{SrcMAC: from.mac, DstMAC: to.mac, EthernetType: layers.EthernetTypeIPv4}
	packet := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	require.NoError(w.t, gopacket.SerializeLayers(packet, options, append([]gopacket.SerializableLayer{ether}, upper...)...))
	w.now = w.now.Add(time.Millisecond)
	require.NoError(w.t, w.w.WritePacket(gopacket.CaptureInfo{
		Timestamp: w.now, CaptureLength: len(packet.Bytes()), Length: len(packet.Bytes()),
	}, packet.Bytes()))
}

// WriteLookup writes a capture file in which the client of WritePcap has looked up its
// server by a name, within 1 ms and before the first packet of that one's files.
func WriteLookup(t testing.TB, path, name string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	w := &pcapWriter{t: t, w: pcapgo.NewWriterNanos(f), now: CaptureStart.Add(-4 * time.Millisecond)}
	require.NoError(t, w.w.WriteFileHeader(1<<16, layers.LinkTypeEthernet))
	question := layers.DNSQuestion{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN}
	message := layers.DNS{ID: 4711, RD: true, Questions: []layers.DNSQuestion{question}}
	client := &station{net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.IPv4(192, 0, 2, 1), 5353, 0}
	server := &station{net.HardwareAddr{2, 0, 0, 0, 0, 3}, net.IPv4(192, 0, 2, 53), 53, 0}
	w.datagram(client, server, &message)
	message.QR, message.RA = true, true
	message.Answers = []layers.DNSResourceRecord{{
		Name: question.Name, Type: question.Type, Class: question.Class, TTL: 60, IP: net.IPv4(192, 0, 2, 2),
	}}
	w.datagram(server, client, &message)
}

func (w *pcapWriter) datagram(from, to *station, message *layers.DNS) {
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.port), DstPort: layers.UDPPort(to.port)}
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.ip, DstIP: to.ip}
	require.NoError(w.t, udp.SetNetworkLayerForChecksum(ip))
	w.packet(from, to, ip, udp, message)
}
