// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Command golang speaks HTTP over TLS with Go's own library, which a test looks into. It
// is one file without dependencies, for old versions of Go.
//
//	golang serve CERTIFICATE KEY FILE     answers each request with the file, and says where
//	golang get URL CERTIFICATE SEQUENCE   writes the response's body
//	golang keep URL CERTIFICATE           asks, says "done", and asks again on the same
//	                                      connection for each path that it reads
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
)

const sequenceHeader = "X-Sequence" // truth.SequenceHeader

func main() {
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2], os.Args[3], os.Args[4])
	case "get":
		err = get(os.Args[2], os.Args[3], os.Args[4])
	case "keep":
		err = keep(os.Args[2], os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve(cert, key, path string) error {
	body, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.ServeTLS(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(sequenceHeader, r.Header.Get(sequenceHeader))
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}), cert, key)
}

func get(url, cert, sequence string) error {
	c, err := client(cert)
	if err != nil {
		return err
	}
	return fetch(c, url, sequence, os.Stdout)
}

func keep(url, cert string) error {
	c, err := client(cert)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for path := "/first"; ; path = lines.Text() {
		if err := fetch(c, url+path, "", io.Discard); err != nil {
			return err
		}
		fmt.Println("done")
		if !lines.Scan() {
			return lines.Err()
		}
	}
}

func client(cert string) (*http.Client, error) {
	pem, err := os.ReadFile(cert)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}

func fetch(c *http.Client, url, sequence string, to io.Writer) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set(sequenceHeader, sequence)
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(to, response.Body)
	return err
}
