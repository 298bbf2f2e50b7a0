// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lookEvery is after how long a call that was not seen is made again: the first may be over
// before there are probes.
const lookEvery = 5 * time.Second

const (
	// onlyThese has the kernel decide whom to look into.
	onlyThese      = `receivers::network::capture::ebpf::tls::include::executables: ["/**/tlspeer", "/**/openssl"]`
	keepPrivileges = "receivers::network::capture::ebpf::keep_privileges: true"
)

// runEncrypted runs the collector as root, and makes calls over TLS whose plaintext it must
// show at both ends: by Go's own library, and by OpenSSL as a library that is loaded.
func runEncrypted(ctx context.Context, dir string) (detail string, err error) {
	var details []string
	args := []string{"--config", "yaml:" + onlyThese}
	if all, err := probesNeedAll(); err != nil {
		return "", err
	} else if all {
		details = append(details, "with "+keepPrivileges)
		args = append(args, "--config", "yaml:"+keepPrivileges)
	}
	c, err := startCollector(ctx, dir, nil, args...)
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, c.stop())
		if err != nil {
			detail = c.output.String()
		}
	}()
	if err := c.output.wait(ctx, "capture started"); err != nil {
		return "", err
	}
	files, err := os.MkdirTemp("", "smoke-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(files)
	cert, key := filepath.Join(files, "cert"), filepath.Join(files, "key")
	if err := writeCertificate(cert, key); err != nil {
		return "", err
	}
	at, stop, err := serveTLS(ctx, dir, cert, key)
	if err != nil {
		return "", err
	}
	defer stop()
	for _, client := range []struct {
		name string
		call func(uri string) *exec.Cmd
	}{
		{"tlspeer", func(uri string) *exec.Cmd {
			return command(ctx, filepath.Join(dir, "tlspeer"), "get", "https://"+at+uri, cert, "")
		}},
		{"openssl", func(uri string) *exec.Cmd {
			c := command(ctx, filepath.Join(dir, "openssl"), "s_client", "-quiet", "-CAfile", cert, "-connect", at)
			c.Stdin = strings.NewReader("GET " + uri + " HTTP/1.1\r\nHost: " + at + "\r\nConnection: close\r\n\r\n")
			c.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir)
			return c
		}},
	} {
		times, err := callUntilSeen(ctx, client.name, client.call, c.output)
		if err != nil {
			return "", fmt.Errorf("call with %s: %w", client.name, err)
		}
		details = append(details, fmt.Sprintf("GET https://%s by %s: both ends, in call %d", at, client.name, times))
	}
	return strings.Join(details, "\n"), nil
}

// probesNeedAll tells whether the kernel has no uprobe_multi: each probe then needs
// CAP_SYS_ADMIN, which the collector drops unless it is told to keep it.
func probesNeedAll() (bool, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return false, err
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		return false, fmt.Errorf("read kernel version: %w", err)
	}
	return major < 6 || major == 6 && minor < 6, nil
}

// callUntilSeen repeats a call until both of its ends were shown.
func callUntilSeen(ctx context.Context, name string, call func(uri string) *exec.Cmd, seen *output) (times int, err error) {
	for ctx.Err() == nil {
		times++
		uri := fmt.Sprintf("/%s/%d", name, times)
		c := call(uri)
		if out, err := c.CombinedOutput(); err != nil {
			return times, fmt.Errorf("run client: %w: %s", err, out)
		}
		look, cancel := context.WithTimeout(ctx, lookEvery)
		err = errors.Join(
			seen.wait(look, uri, "Status: 200", fmt.Sprintf("\nProcess: %s (PID %d)", name, c.Process.Pid), "client side"),
			seen.wait(look, uri, "Status: 200", "\nProcess: tlspeer", "server side"))
		cancel()
		if err == nil {
			return times, nil
		}
	}
	return times, err
}

// serveTLS starts the server and tells where it is.
func serveTLS(ctx context.Context, dir, cert, key string) (at string, stop func(), err error) {
	server := command(ctx, filepath.Join(dir, "tlspeer"), "serve", cert, key, filepath.Join(dir, "cost.txt"))
	out, err := server.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	}
	at, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("start server: %w", err)
	}
	return strings.TrimSpace(at), stop, nil
}

// writeCertificate makes a certificate for this machine and its key.
func writeCertificate(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}
