// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package pcap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.uber.org/zap"
)

// maxOpenFiles bounds the files that are merged at a time. Each has its buffers; one that
// begins while so many are open waits for the end of another.
const maxOpenFiles = 32

// merger reads all files in the order of their frames' times. It holds one frame of each
// file that is open.
type merger struct {
	source  *Source
	reader  *reader
	waiting []capturedFile // in the order in which they begin
	open    []*mergedFile  // likewise
	errors  []error
}

// mergedFile is a file in the middle, at a frame that is not yet delivered.
type mergedFile struct {
	*file
	frame       frame
	time        int64 // of the frame, or of the last one that has a time
	frames      uint64
	unsupported uint64
}

// readAll reads all files.
func (s *Source) readAll(ctx context.Context, r *reader) error {
	m := &merger{source: s, reader: r, waiting: s.files}
	defer m.close()
	for n := 0; ctx.Err() == nil || n%64 != 0; n++ {
		f := m.first()
		if f == nil {
			break
		}
		if !r.frame(&f.frame) {
			f.unsupported++
		}
		m.advance(f)
	}
	r.end()
	return errors.Join(m.errors...)
}

// first returns the file whose frame comes next, or nil after the last one. Files that
// have begun by then are opened before.
func (m *merger) first() *mergedFile {
	for len(m.waiting) > 0 && m.begins(m.waiting[0]) {
		next := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.start(next.name)
	}
	var first *mergedFile
	for _, f := range m.open {
		if first == nil || f.time < first.time {
			first = f
		}
	}
	return first
}

// begins reports whether the next file has to be open to know which frame comes next.
func (m *merger) begins(next capturedFile) bool {
	switch {
	case len(m.open) == 0:
		return true
	case m.source.settings.Sequential || len(m.open) >= maxOpenFiles:
		return false
	}
	return !slices.ContainsFunc(m.open, func(f *mergedFile) bool { return f.time < next.first })
}

func (m *merger) start(name string) {
	f, err := openTapped(name, &m.source.done, m.source.settings.Secrets)
	if err != nil {
		m.fail(name, err)
		return
	}
	m.source.stats.Files.Add(1)
	o := &mergedFile{file: f}
	m.open = append(m.open, o)
	m.advance(o)
}

// advance goes to the next frame of a file, and closes the file behind the last one.
func (m *merger) advance(f *mergedFile) {
	err := f.next(&f.frame)
	if err == nil {
		f.frames++
		if f.frame.time != 0 {
			f.time = f.frame.time
		}
		return
	}
	if err == io.EOF && f.frames > 0 && f.unsupported == f.frames {
		err = f.error(fmt.Errorf("%w %d (%v)", errUnsupported, int(f.frame.link), f.frame.link))
	}
	if err != io.EOF {
		m.fail(f.name, err)
	}
	f.close()
	m.open = slices.DeleteFunc(m.open, func(o *mergedFile) bool { return o == f })
}

func (m *merger) fail(name string, err error) {
	m.source.stats.FileErrors.Add(1)
	m.source.logger.Warn("capture file was not read to its end", zap.String("file", name), zap.Error(err))
	m.errors = append(m.errors, err)
}

func (m *merger) close() {
	for _, f := range m.open {
		f.close()
	}
}
