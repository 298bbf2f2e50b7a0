// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Synflood sends a bounded number of SYNs from random addresses of a network that is for
// benchmarks only (198.18.0.0/15, RFC 2544). It needs a raw socket, and is for network
// namespaces that a test has made.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"syscall"
	"time"
)

const (
	most  = 1_000_000 // SYNs of one run
	burst = 200       // of them between two pauses
	pause = 2 * time.Millisecond
)

func main() {
	to := flag.String("to", "", "address and port to flood")
	n := flag.Int("n", 1000, "number of SYNs")
	flag.Parse()
	if err := flood(*to, min(*n, most)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func flood(to string, n int) error {
	target, err := netip.ParseAddrPort(to)
	if err != nil {
		return fmt.Errorf("parse target: %w", err)
	}
	// IPPROTO_RAW implies IP_HDRINCL (raw(7)).
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_RAW)
	if err != nil {
		return fmt.Errorf("open raw socket: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	addr := &syscall.SockaddrInet4{Addr: target.Addr().As4()}
	for i := range n {
		if i%burst == burst-1 {
			time.Sleep(pause)
		}
		if err := syscall.Sendto(fd, syn(target), 0, addr); err != nil && err != syscall.ENOBUFS {
			return fmt.Errorf("send: %w", err)
		}
	}
	return nil
}

// syn is an IPv4 packet (RFC 791) with a SYN (RFC 9293, section 3.1). The kernel fills in
// IP's length, id and checksum.
func syn(target netip.AddrPort) []byte {
	const ipLen, tcpLen = 20, 20
	p := make([]byte, ipLen+tcpLen)
	p[0], p[8], p[9] = 0x45, 64, syscall.IPPROTO_TCP
	p[12], p[13] = 198, 18|byte(rand.UintN(2))
	binary.BigEndian.PutUint16(p[14:], uint16(rand.Uint32()))
	to := target.Addr().As4()
	copy(p[16:], to[:])
	t := p[ipLen:]
	binary.BigEndian.PutUint16(t, uint16(1024+rand.UintN(64000)))
	binary.BigEndian.PutUint16(t[2:], target.Port())
	binary.BigEndian.PutUint32(t[4:], rand.Uint32())
	t[12], t[13] = tcpLen/4<<4, 0x02
	binary.BigEndian.PutUint16(t[14:], 64240)
	binary.BigEndian.PutUint16(t[16:], checksum(p[12:20], t))
	return p
}

// checksum is TCP's, over the pseudo-header and the segment.
func checksum(addresses, segment []byte) uint16 {
	sum := uint32(syscall.IPPROTO_TCP) + uint32(len(segment))
	for _, b := range [...][]byte{addresses, segment} {
		for i := 0; i < len(b); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(b[i:]))
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
