// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build ignore

// A client and a server of Go's net/http over HTTP/2 without TLS for generate.sh:
// go run h2c.go ADDRESS
package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Protocols: &only, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Checksum")
		w.Header().Set("Content-Type", "application/json")
		n, _ := io.Copy(w, r.Body)
		if n == 0 {
			_, _ = io.WriteString(w, `{"ok": true}`)
		}
		w.Header().Set("X-Checksum", "1234")
	})}
	go func() { _ = server.Serve(listener) }()
	client := http.Client{Transport: &http.Transport{Protocols: &only}}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			r, err := client.Post("http://"+os.Args[1]+"/orders?q=1", "application/json", strings.NewReader(strings.Repeat(`{"n": 1}`, 1+i*20)))
			if err != nil {
				log.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		})
	}
	group.Wait()
	client.CloseIdleConnections()
	_ = server.Close()
}
