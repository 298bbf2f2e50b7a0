// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// identity names the contents of a file: a file that is replaced or changed is
// another one.
type identity struct {
	device, inode uint64
	size, changed int64
}

func identify(info os.FileInfo) (identity, error) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return identity{}, fmt.Errorf("identify %s: %w", info.Name(), os.ErrInvalid)
	}
	return identity{st.Dev, st.Ino, st.Size, st.Mtim.Nano()}, nil
}

// mapping is a file that a process has mapped to be executed.
type mapping struct {
	key   string // device, inode and path as /proc tells them
	span  string // address range
	path  string // in the process's mount namespace; "(deleted)" at its end if it is
	inode uint64
}

// Bounds of what is read of one process.
const (
	maxMaps     = 8 << 20 // bytes of its memory map
	maxMappings = 512     // files in it
)

// mappings reads proc_pid_maps(5). Each file is given once.
func mappings(pid int) ([]mapping, error) {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "maps"))
	if err != nil {
		return nil, fmt.Errorf("open memory map: %w", err)
	}
	defer f.Close()
	return parseMaps(io.LimitReader(f, maxMaps))
}

func parseMaps(r io.Reader) ([]mapping, error) {
	var all []mapping
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(all) < maxMappings {
		m, ok := parseMapping(lines.Text())
		if ok && !seen[m.key] {
			seen[m.key] = true
			all = append(all, m)
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, bufio.ErrTooLong) {
		return all, fmt.Errorf("read memory map: %w", err)
	}
	return all, nil
}

// parseMapping takes lines that map a file executable.
func parseMapping(line string) (m mapping, ok bool) {
	head, path, found := strings.Cut(line, " /")
	fields := strings.Fields(head)
	if !found || len(fields) < 5 || len(fields[1]) < 4 || fields[1][2] != 'x' {
		return m, false
	}
	inode, err := strconv.ParseUint(fields[4], 10, 64)
	if err != nil || inode == 0 {
		return m, false
	}
	m = mapping{span: fields[0], path: "/" + path, inode: inode}
	m.key = fields[3] + ":" + fields[4] + ":" + m.path
	return m, true
}

// open opens the file behind a mapping. The first way finds it also if it is
// deleted, or in a mount namespace of its own, but needs more privileges.
func (m *mapping) open(pid int) (*os.File, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	f, err := os.Open(filepath.Join(dir, "map_files", m.span))
	if err == nil {
		return f, nil
	}
	f, err = os.Open(filepath.Join(dir, "root", m.path))
	if err != nil {
		return nil, fmt.Errorf("open mapped file: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Ino != m.inode {
			err = fmt.Errorf("open mapped file: %s was replaced", m.path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func executablePath(pid int) string {
	return filepath.Join("/proc", strconv.Itoa(pid), "exe")
}

// processes lists the ids of all processes.
func processes() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("open process list: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("read process list: %w", err)
	}
	var all []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}
