// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command loadserver answers every request with the id that it carries and a body
// of -body bytes, in one segment, and takes uploads of any size.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"strconv"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	size := flag.Int("body", 2048, "bytes of each response's body")
	flag.Parse()

	body := truth.TextBody(1, *size)
	server := &http.Server{Addr: *addr, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			w.Header().Set(truth.SequenceHeader, r.Header.Get(truth.SequenceHeader))
			_, _ = w.Write(body)
		})}
	log.Fatal(server.ListenAndServe())
}
