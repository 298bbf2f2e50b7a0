// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf/link"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/uprobe/symbol"
)

// Times and bounds that are not worth a setting.
const (
	maxFiles     = 1 << 14          // files that are known
	unusedTime   = 5 * time.Minute  // after which probes that no process needs are removed
	retryTime    = 10 * time.Second // after a failed attachment, doubled each time
	maxRetryTime = 10 * time.Minute
)

// file is what is known of an executable or library.
type file struct {
	path      string // where it was first seen, in some mount namespace
	image     *symbol.Image
	points    []point // where to place probes
	runtime   bool    // brings TLS of its own that can not be probed
	installed string  // path by which programs that start later find it; may be empty
	links     []link.Link
	err       error     // of the last attempt to read it or to attach
	attempts  int       // that failed
	retry     time.Time // when to try again
	used      time.Time // when a process was last seen to use it
}

// wanted tells whether there is anything in a file to place probes at.
func (f *file) wanted() bool { return len(f.points) > 0 }

// files is everything that was inspected.
type files struct {
	programs Programs
	stats    *Stats
	logger   *zap.Logger
	byID     map[identity]*file
	own      identity // the collector's executable, which is left alone
}

// add inspects an open file that is new, and places probes if there is anything to
// place them at. It gives nil for what is left alone.
func (fs *files) add(f *os.File, path string, now time.Time) *file {
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	id, err := identify(info)
	if err != nil || id == fs.own {
		return nil
	}
	known := fs.byID[id]
	if known == nil {
		if len(fs.byID) >= maxFiles {
			return nil
		}
		known = &file{path: path, runtime: isRuntime(path)}
		fs.byID[id] = known
		fs.inspect(known, f, id.size)
	}
	known.used = now
	if known.links == nil && known.wanted() && !now.Before(known.retry) {
		fs.attach(known, f, now)
	}
	return known
}

func (fs *files) inspect(known *file, f *os.File, size int64) {
	defer fs.time(time.Now())
	fs.stats.Files.Add(1)
	known.image, known.err = symbol.Inspect(f, size)
	if known.err != nil {
		fs.stats.FilesFailed.Add(1)
		known.image = nil
		return
	}
	for _, l := range known.image.Libraries {
		l = cheapened(f, known.image.Machine, l)
		known.points = append(known.points, points(&l)...)
	}
}

func (fs *files) attach(known *file, f *os.File, now time.Time) {
	defer fs.time(time.Now())
	if known.attempts > 0 {
		fs.stats.AttachRetried.Add(1)
	}
	known.links, known.err = fs.programs.attach(f, known.points)
	if known.err != nil {
		fs.stats.AttachFailed.Add(1)
		known.retry = now.Add(min(retryTime<<min(known.attempts, 10), maxRetryTime))
		if known.attempts++; known.attempts == 1 {
			fs.logger.Warn("can not look into a TLS library", zap.String("file", known.path), zap.Error(known.err))
		}
		return
	}
	known.attempts = 0
	fs.stats.Attached.Add(1)
	fs.stats.Attachments.Add(1)
	fs.logger.Info("looking into a TLS library", zap.String("file", known.path), zap.Strings("libraries", names(known.image)))
}

func (fs *files) time(since time.Time) { fs.stats.AttachTime.Add(uint64(time.Since(since))) }

func names(image *symbol.Image) []string {
	var all []string
	for i := range image.Libraries {
		l := &image.Libraries[i]
		all = append(all, fmt.Sprint(l.Kind, " ", l.Version))
	}
	return all
}

// forget removes probes from files that no process has used for a while and that
// no new one will find, and forgets what there is to know of other such files.
func (fs *files) forget(now time.Time) {
	for id, f := range fs.byID {
		if now.Sub(f.used) < unusedTime || stillInstalled(f, id) {
			continue
		}
		delete(fs.byID, id)
		fs.detach(f)
	}
}

func stillInstalled(f *file, id identity) bool {
	if f.installed == "" {
		return false
	}
	info, err := os.Stat(f.installed)
	if err != nil {
		return false
	}
	now, err := identify(info)
	return err == nil && now == id
}

func (fs *files) detach(f *file) {
	if f.links == nil {
		return
	}
	if err := closeLinks(f.links); err != nil {
		fs.logger.Warn("can not remove probes", zap.String("file", f.path), zap.Error(err))
	}
	f.links = nil
	fs.stats.Detached.Add(1)
	fs.stats.Attachments.Add(-1)
}

func (fs *files) close() error {
	var all []error
	for id, f := range fs.byID {
		all = append(all, closeLinks(f.links))
		delete(fs.byID, id)
	}
	return errors.Join(all...)
}
