// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Program is a server and a client in Go: program quic|https ADDRESS CERTIFICATE KEY
// AUTHORITY. The client logs its keys to SSLKEYLOGFILE.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"golang.org/x/net/quic"
)

func main() {
	what, address := os.Args[1], os.Args[2]
	certificate, err := tls.LoadX509KeyPair(os.Args[3], os.Args[4])
	check(err)
	authority, err := os.ReadFile(os.Args[5])
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	server := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}
	keys, err := os.OpenFile(os.Getenv("SSLKEYLOGFILE"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(err)
	client := &tls.Config{RootCAs: roots, ServerName: "shop.example", KeyLogWriter: keys, MinVersion: tls.VersionTLS13}
	if what == "quic" {
		talkQUIC(address, server, client)
		return
	}
	talkHTTPS(address, server, client)
}

func talkQUIC(address string, server, client *tls.Config) {
	ctx := context.Background()
	server.NextProtos, client.NextProtos = []string{"h3"}, []string{"h3"}
	listener, err := quic.Listen("udp", address, &quic.Config{TLSConfig: server})
	check(err)
	go func() {
		for {
			c, err := listener.Accept(ctx)
			if err != nil {
				return
			}
			s, err := c.AcceptStream(ctx)
			check(err)
			b, _ := io.ReadAll(s)
			_, _ = s.Write(b)
			_ = s.Close()
		}
	}()
	endpoint, err := quic.Listen("udp", "127.0.0.1:0", nil)
	check(err)
	c, err := endpoint.Dial(ctx, "udp", address, &quic.Config{TLSConfig: client})
	check(err)
	s, err := c.NewStream(ctx)
	check(err)
	_, _ = s.Write([]byte("hello"))
	s.CloseWrite()
	b, err := io.ReadAll(s)
	check(err)
	fmt.Printf("%s\n", b)
	check(c.Close())
}

func talkHTTPS(address string, server, client *tls.Config) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(bytes.ToUpper(body))
		_, _ = w.Write(bytes.Repeat([]byte("g"), 20000))
	})
	s := &http.Server{Addr: address, Handler: handler, TLSConfig: server, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = s.ListenAndServeTLS("", "") }()
	transport := &http.Transport{TLSClientConfig: client, ForceAttemptHTTP2: true}
	for i := range 3 {
		for {
			body := fmt.Sprintf("request %d", i)
			response, err := (&http.Client{Transport: transport}).Post("https://"+address+"/go", "text/plain", bytes.NewReader([]byte(body)))
			if err != nil {
				continue // the server is not there yet
			}
			_, _ = io.Copy(io.Discard, response.Body)
			check(response.Body.Close())
			break
		}
	}
	transport.CloseIdleConnections()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
