// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command tlsprogram uses crypto/tls on both sides, so that the linker keeps it. It
// is looked at, not run, and must build with old versions of Go.
package main

import (
	"crypto/tls"
	"net"
	"os"
)

// half is a variable so that the call is not inlined.
var half interface{ CloseWrite() error }

func main() {
	tcp, err := net.Dial("tcp", os.Args[1])
	if err != nil {
		os.Exit(1)
	}
	conn := tls.Client(tcp, &tls.Config{ServerName: os.Args[1]})
	if len(os.Args) > 2 {
		conn = tls.Server(tcp, &tls.Config{})
	}
	if err := conn.Handshake(); err != nil {
		os.Exit(1)
	}
	b := make([]byte, 512)
	n, _ := conn.Read(b)
	_, _ = conn.Write(b[:n])
	half = conn
	_ = half.CloseWrite()
	_ = conn.Close()
}
