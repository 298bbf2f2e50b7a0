// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command client is the Go client and load generator under test. Each of its
// connections is kept alive and sends requests one after the other. Every
// request has an id, in its path and in a header, and what became of it goes to
// the file TRUTH. With -step it waits for a line on its standard input before
// each round of requests.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

type client struct {
	base        string
	name        string
	method      string
	path        string
	body        []byte
	mediaType   string
	requests    int
	connections int
	interval    time.Duration
	log         *truth.Log

	next atomic.Int64
}

func main() {
	c := &client{}
	size := flag.Int("size", 0, "bytes of body to send with each request")
	text := flag.Bool("text", false, "send text instead of binary")
	rate := flag.Float64("rate", 0, "requests per second, 0 for as fast as it goes")
	step := flag.Bool("step", false, "wait for a line on the standard input before each round")
	flag.StringVar(&c.base, "url", "http://127.0.0.1:8080", "scheme and authority")
	flag.StringVar(&c.name, "name", "c", "what the ids of the requests begin with")
	flag.StringVar(&c.method, "method", http.MethodGet, "request method")
	flag.StringVar(&c.path, "path", "/bytes/1/1024/text", "request path")
	flag.IntVar(&c.requests, "requests", 1, "requests in each round")
	flag.IntVar(&c.connections, "connections", 1, "connections")
	h2 := flag.Bool("http2", false, "send HTTP/2")
	authority := flag.String("authority", "", "file with the certificates to trust, for TLS")
	flag.Parse()

	c.body, c.mediaType = truth.BinaryBody(len(c.name), *size), "application/octet-stream"
	if *text {
		c.body, c.mediaType = truth.TextBody(len(c.name), *size), "text/plain"
	}
	if *rate > 0 {
		c.interval = time.Duration(float64(time.Second) * float64(c.connections) / *rate)
	}
	var err error
	if c.log, err = truth.OpenLog(); err != nil {
		log.Fatal(err)
	}
	roots := trusted(*authority)
	transports := make([]*http.Transport, c.connections)
	for i := range transports {
		transports[i] = &http.Transport{
			MaxConnsPerHost:    1,
			DisableCompression: true,
			DialContext:        (&net.Dialer{KeepAlive: -1}).DialContext,
			TLSClientConfig:    &tls.Config{RootCAs: roots},
		}
	}
	if *h2 {
		protocols := new(http.Protocols)
		protocols.SetHTTP2(*authority != "")
		protocols.SetUnencryptedHTTP2(*authority == "")
		transports[0].Protocols = protocols
		for i := range transports { // streams of one connection
			transports[i] = transports[0]
		}
	}
	if !*step {
		c.round(transports)
		return
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		c.round(transports)
	}
}

// trusted reads the certificates of a file, none if it has no name.
func trusted(path string) *x509.CertPool {
	roots := x509.NewCertPool()
	if path == "" {
		return roots
	}
	b, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	roots.AppendCertsFromPEM(b)
	return roots
}

// round sends the requests of one round over all connections.
func (c *client) round(transports []*http.Transport) {
	var left atomic.Int64
	left.Store(int64(c.requests))
	var wg sync.WaitGroup
	for _, t := range transports {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				begin := time.Now()
				if err := c.log.Write(c.call(t)); err != nil {
					log.Print(err)
				}
				time.Sleep(c.interval - time.Since(begin))
			}
		})
	}
	wg.Wait()
}

// call makes one request. The transport itself is used, since it follows no
// redirects; a request that it could not finish is not repeated.
func (c *client) call(t *http.Transport) truth.Call {
	id := fmt.Sprintf("%s-%d", c.name, c.next.Add(1))
	did := truth.Call{PID: os.Getpid(), Sequence: id, Method: c.method, URI: c.path + "?id=" + id}
	var body io.Reader
	if len(c.body) > 0 {
		body = io.NopCloser(bytes.NewReader(c.body)) // unknown to net/http, so it cannot be sent again
	}
	r, err := http.NewRequest(c.method, c.base+did.URI, body)
	if err != nil {
		log.Fatal(err)
	}
	r.ContentLength = int64(len(c.body))
	r.Header.Set(truth.SequenceHeader, id)
	if len(c.body) > 0 {
		r.Header.Set("Content-Type", c.mediaType)
	}
	did.RequestSize, did.RequestSHA256 = len(c.body), truth.Sum(c.body)

	resp, err := t.RoundTrip(r)
	if err != nil {
		did.Error = err.Error()
		return did
	}
	defer resp.Body.Close()
	response, err := io.ReadAll(resp.Body)
	if err != nil {
		did.Error = err.Error()
	}
	did.Status, did.ResponseSize, did.ResponseSHA256 = resp.StatusCode, len(response), truth.Sum(response)
	return did
}
