// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command relay is a service that knows nothing of traces: it asks the next service,
// with none of the headers that it got, before it answers. Without LISTEN it makes one
// call.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	next := os.Getenv("NEXT")
	if os.Getenv("LISTEN") == "" {
		if err := call(next); err != nil {
			log.Fatal(err)
		}
		return
	}
	server := &http.Server{Addr: os.Getenv("LISTEN"), ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			if next != "" {
				if err := call(next); err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
					return
				}
			}
			fmt.Fprintln(w, "done")
		})}
	log.Fatal(server.ListenAndServe())
}

func call(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
