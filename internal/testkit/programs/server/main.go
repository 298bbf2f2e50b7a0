// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command server is the Go server under test. It answers /bytes/SEED/SIZE/KIND
// with a body that everyone can compute, /echo with the request's body,
// /status/CODE with that status, and /drip/SIZE/MS with SIZE bytes, one at a
// time, MS milliseconds apart. What it answered goes to the file TRUTH. It speaks TLS
// if TLS_CERTIFICATE and TLS_KEY name files.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()

	calls, err := truth.OpenLog()
	if err != nil {
		log.Fatal(err)
	}
	s := &server{log: calls}
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes/{seed}/{size}/{kind}", s.bytes)
	mux.HandleFunc("/status/{code}", s.status)
	mux.HandleFunc("/drip/{size}/{ms}", s.drip)
	mux.HandleFunc("/", s.echo)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	listener := &http.Server{Addr: *addr, Handler: mux, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	if certificate := os.Getenv("TLS_CERTIFICATE"); certificate != "" {
		protocols.SetHTTP2(true)
		log.Fatal(listener.ListenAndServeTLS(certificate, os.Getenv("TLS_KEY")))
	}
	log.Fatal(listener.ListenAndServe())
}

type server struct{ log *truth.Log }

func (s *server) bytes(w http.ResponseWriter, r *http.Request) {
	seed, size := number(r, "seed"), number(r, "size")
	if r.PathValue("kind") == "text" {
		s.answer(w, r, http.StatusOK, "text/plain", truth.TextBody(seed, size))
		return
	}
	s.answer(w, r, http.StatusOK, "application/octet-stream", truth.BinaryBody(seed, size))
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	code := number(r, "code")
	var body []byte
	if code >= 200 && code != http.StatusNoContent && code != http.StatusNotModified {
		body = []byte(http.StatusText(code) + "\n")
	}
	s.answer(w, r, code, "text/plain", body)
}

func (s *server) echo(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, http.StatusOK, r.Header.Get("Content-Type"), nil)
}

// answer sends body, or the request's own if that is nil and there is one.
func (s *server) answer(w http.ResponseWriter, r *http.Request, code int, kind string, body []byte) {
	request, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if body == nil && code == http.StatusOK {
		body = request
	}
	if kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	w.Header().Set("Server-Pid", strconv.Itoa(os.Getpid()))
	w.Header().Set(truth.SequenceHeader, r.Header.Get(truth.SequenceHeader))
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	// The log comes first: whoever has the answer can find it there.
	s.record(r, code, request, body)
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

func (s *server) drip(w http.ResponseWriter, r *http.Request) {
	body := truth.TextBody(0, number(r, "size"))
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	s.record(r, http.StatusOK, nil, body)
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
	}
}

func (s *server) record(r *http.Request, code int, request, response []byte) {
	err := s.log.Write(truth.Call{
		PID: os.Getpid(), Sequence: r.Header.Get(truth.SequenceHeader),
		Method: r.Method, URI: r.RequestURI, Status: code,
		RequestSize: len(request), RequestSHA256: truth.Sum(request),
		ResponseSize: len(response), ResponseSHA256: truth.Sum(response),
	})
	if err != nil {
		log.Print(err)
	}
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.PathValue(name))
	return n
}
