// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package conntrack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer is what the kernel holds of what was not read yet: some ten thousand
	// connections.
	receiveBuffer = 8 << 20
	// messageRoom holds the largest message that the kernel sends.
	messageRoom = 64 << 10
	// dumpTime bounds how long the start waits for the connections that are there.
	dumpTime = 2 * time.Second
)

// Listener feeds a Table with what the kernel says.
type Listener struct {
	table *Table
	file  *os.File
	done  sync.WaitGroup

	mu     sync.Mutex // held from reading a message until it is in the table
	buffer [messageRoom]byte
	fd     int // -1 after Close
}

// Listen begins to listen to the kernel, and returns when the connections that are there
// are in the table. The network namespace whose translation counts is that of the file
// netns, the own one if that is empty. It needs CAP_NET_ADMIN, and for a file CAP_SYS_ADMIN.
func Listen(table *Table, netns string) (*Listener, error) {
	fd, err := openIn(netns)
	if err != nil {
		return nil, err
	}
	l := &Listener{table: table, file: os.NewFile(uintptr(fd), "ctnetlink"), fd: fd}
	if err := l.start(fd); err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	l.done.Go(l.run)
	return l, nil
}

// openIn opens a socket in a network namespace: it stays there, whatever becomes of the
// thread.
func openIn(netns string) (int, error) {
	if netns == "" {
		return open()
	}
	to, err := os.Open(netns)
	if err != nil {
		return 0, fmt.Errorf("open network namespace: %w", err)
	}
	defer to.Close()
	type result struct {
		fd  int
		err error
	}
	// The thread ends with its goroutine, because it is never unlocked.
	opened := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(to.Fd()), unix.CLONE_NEWNET); err != nil {
			opened <- result{0, fmt.Errorf("enter network namespace %s: %w", netns, err)}
			return
		}
		fd, err := open()
		opened <- result{fd, err}
	}()
	r := <-opened
	return r.fd, r.err
}

func open() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return 0, fmt.Errorf("open netlink socket: %w", err)
	}
	return fd, nil
}

// start subscribes first, so that nothing is missed between both.
func (l *Listener) start(fd int) error {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("bind netlink socket: %w", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_CONNTRACK_NEW); err != nil {
		return fmt.Errorf("subscribe to connection tracking: %w", err)
	}
	if _, err := l.file.Write(dumpRequest()); err != nil {
		return fmt.Errorf("ask for tracked connections: %w", err)
	}
	if err := l.file.SetReadDeadline(time.Now().Add(dumpTime)); err != nil {
		return fmt.Errorf("set deadline: %w", err)
	}
	err := l.read(true)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // the rest comes as it comes
		return fmt.Errorf("read tracked connections: %w", err)
	}
	return l.file.SetReadDeadline(time.Time{})
}

func (l *Listener) run() { _ = l.read(false) }

var errRefused = errors.New("the kernel refuses to tell of tracked connections: CAP_NET_ADMIN is needed")

// read takes what the kernel says until the socket is closed or, if asked to, until the
// dump ends.
func (l *Listener) read(dump bool) error {
	raw, err := l.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("use netlink socket: %w", err)
	}
	var last kind
	var failed error
	err = raw.Read(func(uintptr) bool { // called whenever there is something to read
		last, failed = l.drain(dump)
		return failed != nil || last != kindOther
	})
	switch {
	case err != nil:
		return err
	case last == kindError:
		return errRefused
	}
	return failed
}

// CatchUp returns when all that the kernel has told until now is in the table. It tells
// of a connection before the first packet of that arrives.
func (l *Listener) CatchUp() { _, _ = l.drain(false) }

// drain reads until there is nothing more to read or, if asked to, until a dump ends.
func (l *Listener) drain(dump bool) (last kind, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fd < 0 {
		return kindOther, os.ErrClosed
	}
	for {
		n, _, err := unix.Recvfrom(l.fd, l.buffer[:], unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return kindOther, nil
		case errors.Is(err, unix.ENOBUFS):
			l.table.Stats.Overruns.Add(1)
			continue
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return kindOther, fmt.Errorf("read netlink socket: %w", err)
		case n == 0:
			return kindOther, io.EOF
		}
		if last := l.table.take(l.buffer[:n]); dump && (last == kindDone || last == kindError) {
			return last, nil
		}
	}
}

// Close ends listening. The table stays as it is.
func (l *Listener) Close() error {
	l.mu.Lock()
	l.fd = -1
	l.mu.Unlock()
	err := l.file.Close()
	l.done.Wait()
	return err
}
