// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// secureServer is a server that speaks TLS, with the client that loads it.
type secureServer struct {
	name  string
	start func(b *bench, addr string) (*process, error)
	load  func(ctx context.Context, b *bench, addr string) (calls uint64, perSec float64, err error)
}

var secureServers = []secureServer{
	{"nginx, wrk", startSecureNginx, wrkLoad},
	{"Go, Go", startSecureGo, goLoad},
	{"Node.js, wrk", startSecureNode, wrkLoad},
}

// secure measures what it costs to look into TLS libraries: with probes, and without
// them, when only packets are captured.
func (b *bench) secure(ctx context.Context) error {
	if err := b.makeCertificate(); err != nil {
		return err
	}
	for _, s := range secureServers {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		server, err := s.start(b, addr)
		if err != nil {
			return err
		}
		err = b.measureSecure(ctx, s, addr)
		if err = errors.Join(err, server.stop()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) measureSecure(ctx context.Context, s secureServer, addr string) error {
	b.port = portOf(addr)
	defer func() { b.port = portOf(b.addr) }()
	all := append(chosen("A"), secureVariants...)
	samples := map[string][]sample{}
	for round := range b.rounds {
		for _, v := range all {
			var one sample
			var err error
			one.seen, err = b.watched(ctx, v, round, func() error {
				return b.counted(&one, func() (err error) {
					one.calls, one.perSec, err = s.load(ctx, b, addr)
					return err
				})
			})
			if err != nil {
				return fmt.Errorf("measure %s, %q: %w", s.name, v.name, err)
			}
			samples[v.letter] = append(samples[v.letter], one)
			fmt.Fprintf(os.Stderr, "%d %s %s %6.0f/s  busy %5.1f  traffic %5.1f  watching %5.1f µs/call  spans %d+%d of %d  lost %d  fds %d  MiB %d\n",
				round, s.name, v.letter, one.perSec, perCall(one.busy, one), perCall(one.traffic, one), perCall(one.watching, one),
				one.Client, one.Server, one.calls, one.lost(), one.Metrics["descriptors{}"], one.Metrics["resident{}"]>>20)
		}
	}
	fmt.Fprintf(os.Stdout, "\n%s over TLS, %d bytes\n", s.name, b.body)
	report(all, samples)
	return nil
}

// counted tells what a load costs, with what is done about it after its end.
func (b *bench) counted(s *sample, load func() error) error {
	before, err := b.usage()
	if err != nil {
		return err
	}
	if err := load(); err != nil {
		return err
	}
	time.Sleep(settle)
	after, err := b.usage()
	s.busy, s.traffic, s.watching = after.busy-before.busy, after.traffic-before.traffic, after.watching-before.watching
	return err
}

// makeCertificate makes a certificate for 127.0.0.1 and its key.
func (b *bench) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(b.certificate(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600),
		os.WriteFile(b.key(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
}

func (b *bench) certificate() string { return filepath.Join(b.dir, "certificate.pem") }
func (b *bench) key() string         { return filepath.Join(b.dir, "key.pem") }
func (b *bench) file() string        { return filepath.Join(b.dir, "files", "orders.json") }

func startSecureNginx(b *bench, addr string) (*process, error) {
	dir := filepath.Join(b.dir, "secure")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.Symlink(filepath.Join(b.dir, "files"), filepath.Join(dir, "files")); err != nil && !os.IsExist(err) {
		return nil, err
	}
	return startNginx(b.traffic, dir, addr, fmt.Sprintf(" ssl; ssl_certificate %s; ssl_certificate_key %s", b.certificate(), b.key()))
}

func startSecureGo(b *bench, addr string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	// The receiver does not look into its own program, so this one is a copy.
	program := filepath.Join(b.dir, "secure-go")
	if err := copyFile(self, program); err != nil {
		return nil, err
	}
	p, err := start(b.traffic, nil, program, "secure-serve", addr, b.certificate(), b.key(), b.file())
	if err != nil {
		return nil, err
	}
	return p.listening(addr)
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(b, 0), 0o700)
}

const nodeServer = `
const fs = require("fs");
const [addr, cert, key, file] = process.argv.slice(1);
const body = fs.readFileSync(file);
require("https").createServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)}, (q, r) => {
  r.setHeader("Content-Type", "application/json");
  r.end(body);
}).listen(+addr.split(":")[1], "127.0.0.1");
`

func startSecureNode(b *bench, addr string) (*process, error) {
	p, err := start(b.traffic, nil, "node", "-e", nodeServer, addr, b.certificate(), b.key(), b.file())
	if err != nil {
		return nil, err
	}
	return p.listening(addr)
}

func wrkLoad(ctx context.Context, b *bench, addr string) (calls uint64, perSec float64, err error) {
	out, err := run(ctx, b.traffic, "wrk", "-t2", fmt.Sprintf("-c%d", b.connections),
		fmt.Sprintf("-d%.0fs", max(1, b.duration.Seconds())), "https://"+addr+"/orders.json")
	if err != nil {
		return 0, 0, err
	}
	return wrkSaid(out)
}

func goLoad(ctx context.Context, b *bench, addr string) (calls uint64, perSec float64, err error) {
	out, err := run(ctx, b.traffic, filepath.Join(b.dir, "secure-go"), "secure-load", addr, strconv.Itoa(b.connections), b.duration.String())
	if err != nil {
		return 0, 0, err
	}
	if calls, err = strconv.ParseUint(out, 10, 64); err != nil {
		return 0, 0, fmt.Errorf("read number of calls: %w", err)
	}
	return calls, float64(calls) / b.duration.Seconds(), nil
}

// secureServe is Go's server, which startSecureGo starts.
func secureServe(args []string) error {
	body, err := os.ReadFile(args[3])
	if err != nil {
		return err
	}
	server := &http.Server{
		Addr: args[0], ReadHeaderTimeout: time.Minute,
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}),
	}
	go func() { _ = server.ListenAndServeTLS(args[1], args[2]) }()
	untilStopped()
	return server.Close()
}

// secureLoad is Go's client: it says how many calls it has made.
func secureLoad(args []string) error {
	connections, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	duration, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	end := time.Now().Add(duration)
	var calls atomic.Uint64
	var wg sync.WaitGroup
	errs := make([]error, connections)
	for i := range connections {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			for errs[i] == nil && time.Now().Before(end) {
				if errs[i] = get(c, "https://"+args[0]+"/orders.json"); errs[i] == nil {
					calls.Add(1)
				}
			}
		})
	}
	wg.Wait()
	fmt.Fprint(os.Stdout, calls.Load())
	return errors.Join(errs...)
}

func get(c *http.Client, url string) error {
	r, err := c.Get(url) //nolint:noctx // it is bounded
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}
