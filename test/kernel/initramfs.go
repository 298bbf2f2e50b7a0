// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// writeInitramfs packs the files of a folder as the root file system of a
// kernel: below /payload, with the smoke test as /init as well.
func writeInitramfs(path, payload string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	defer func() { err = errors.Join(err, w.Flush(), f.Close()) }()
	a := archive{w: w}
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "payload"} {
		a.add(entry{name: dir, mode: modeDirectory | 0o755})
	}
	// A kernel opens it before there is a /dev.
	a.add(entry{name: "dev/console", mode: modeDevice | 0o600, major: 5, minor: 1})
	a.add(entry{name: "init", mode: modeLink | 0o777, content: "payload/smoke"})
	files, err := os.ReadDir(payload)
	if err != nil {
		return err
	}
	for _, file := range files {
		a.addFile("payload/"+file.Name(), filepath.Join(payload, file.Name()))
	}
	a.add(entry{name: "TRAILER!!!"})
	return a.err
}

// Kinds of files, as in inode(7).
const (
	modeDirectory = 0o040000
	modeDevice    = 0o020000
	modeFile      = 0o100000
	modeLink      = 0o120000
)

// entry is what a file is in an archive.
type entry struct {
	name         string
	mode         uint32
	major, minor uint32
	content      string
}

// archive writes the form "newc" of cpio, see the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst.
type archive struct {
	w     io.Writer
	inode uint32
	at    int64
	err   error
}

func (a *archive) add(e entry) {
	a.begin(e, int64(len(e.content)))
	a.write([]byte(e.content))
	a.pad()
}

// addFile adds a program or what a link leads to.
func (a *archive) addFile(name, path string) {
	f, err := os.Open(path)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.begin(entry{name: name, mode: modeFile | 0o755}, info.Size())
	if a.err == nil {
		var n int64
		n, a.err = io.CopyN(a.w, f, info.Size())
		a.at += n
	}
	a.pad()
}

func (a *archive) begin(e entry, size int64) {
	a.inode++
	a.write([]byte("070701"))
	for _, field := range [13]uint32{
		a.inode, e.mode, 0, 0, 1, 0, uint32(size), 0, 0, e.major, e.minor, uint32(len(e.name) + 1), 0,
	} {
		a.write(fmt.Appendf(nil, "%08x", field))
	}
	a.write(append([]byte(e.name), 0))
	a.pad()
}

func (a *archive) pad() { a.write(make([]byte, -a.at&3)) }

func (a *archive) write(b []byte) {
	if a.err != nil {
		return
	}
	var n int
	n, a.err = a.w.Write(b)
	a.at += int64(n)
}
