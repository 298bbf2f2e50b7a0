// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command goroutines is a TLS client of many goroutines that are moved between threads
// while they are inside crypto/tls: they read and write little at a time, wait for the
// network in between, and give way to each other. Until there is a line on its standard
// input, it only opens connections, with a request without id. It prints how many of its
// calls of crypto/tls returned on another thread. What became of its requests goes to the
// file TRUTH.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wirespan/wirespan/internal/testkit/truth"
)

var (
	url       = flag.String("url", "", "what to send bodies to, which come back")
	authority = flag.String("authority", "", "file with the certificates to trust")
	workers   = flag.Int("goroutines", 32, "goroutines, each with a connection")
	requests  = flag.Int("requests", 8, "requests of each goroutine")
)

// moved counts calls that began on one thread and ended on another.
var moved atomic.Int64

func main() {
	flag.Parse()
	certificates, err := os.ReadFile(*authority)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificates)
	out, err := truth.OpenLog()
	if err != nil {
		log.Fatal(err)
	}
	begin := make(chan struct{})
	go func() {
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
		close(begin)
	}()
	introduce(roots, begin)
	moved.Store(0)
	var all sync.WaitGroup
	for i := range *workers {
		all.Go(func() { work(i, roots, out) })
	}
	all.Wait()
	fmt.Println(moved.Load())
}

// introduce shows that here is a library, until begin is closed.
func introduce(roots *x509.CertPool, begin <-chan struct{}) {
	for {
		select {
		case <-begin:
			return
		case <-time.After(50 * time.Millisecond):
		}
		transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
		answer, err := (&http.Client{Transport: transport}).Get(*url + "/status/204")
		if err != nil {
			log.Fatal(err)
		}
		_ = answer.Body.Close()
	}
}

// work makes the requests of one goroutine, over one connection.
func work(number int, roots *x509.CertPool, out *truth.Log) {
	random := rand.New(rand.NewPCG(uint64(number), 1))
	transport := &http.Transport{
		MaxConnsPerHost: 1, DisableCompression: true,
		WriteBufferSize: 200 + random.IntN(3000), ReadBufferSize: 16 + random.IntN(3000),
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&tls.Dialer{Config: &tls.Config{RootCAs: roots}}).DialContext(ctx, network, addr)
			return moving{c}, err
		},
	}
	for i := range *requests {
		did := call(transport, fmt.Sprintf("goroutine%d-%d", number, i), truth.BinaryBody(number, random.IntN(40_000)), random)
		if err := out.Write(did); err != nil {
			log.Fatal(err)
		}
	}
}

func call(transport *http.Transport, id string, body []byte, random *rand.Rand) truth.Call {
	did := truth.Call{
		PID: os.Getpid(), Sequence: id, Method: http.MethodPost, URI: "/echo?id=" + id, RequestSize: len(body), RequestSHA256: truth.Sum(body),
	}
	r, err := http.NewRequestWithContext(context.Background(), did.Method, *url+did.URI, io.NopCloser(bytes.NewReader(body)))
	if err != nil {
		log.Fatal(err)
	}
	r.ContentLength = int64(len(body))
	r.Header.Set(truth.SequenceHeader, id)
	r.Header.Set("Content-Type", "application/octet-stream")
	answer, err := transport.RoundTrip(r)
	if err != nil {
		did.Error = err.Error()
		return did
	}
	defer answer.Body.Close()
	var got bytes.Buffer
	for err == nil {
		_, err = io.CopyN(&got, answer.Body, 1+random.Int64N(2000))
		rest(random)
	}
	if err != io.EOF {
		did.Error = err.Error()
	}
	did.Status, did.ResponseSize, did.ResponseSHA256 = answer.StatusCode, got.Len(), truth.Sum(got.Bytes())
	return did
}

// rest lets others have the thread.
func rest(random *rand.Rand) {
	switch random.IntN(3) {
	case 0:
		time.Sleep(time.Duration(random.IntN(200)) * time.Microsecond)
	default:
		runtime.Gosched()
	}
}

// moving notices when a call of crypto/tls ends on another thread than it began on.
type moving struct{ net.Conn }

func (m moving) Read(b []byte) (int, error) {
	defer noteThread(syscall.Gettid())
	return m.Conn.Read(b)
}

func (m moving) Write(b []byte) (int, error) {
	defer noteThread(syscall.Gettid())
	return m.Conn.Write(b)
}

func noteThread(before int) {
	if syscall.Gettid() != before {
		moved.Add(1)
	}
}
