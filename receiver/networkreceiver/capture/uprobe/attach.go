// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package uprobe

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Programs are the kernel's programs.
type Programs struct {
	LibraryEnter, LibraryReturn, LibraryForget *ebpf.Program
	GoHandshake, GoEnter, GoReturn, GoCopy     *ebpf.Program
	// Multi says that they were loaded to be placed at many points at once.
	Multi bool
}

func (p *Programs) program(which program) *ebpf.Program {
	return [programs]*ebpf.Program{
		p.LibraryReturn, p.LibraryForget, p.LibraryEnter, p.GoEnter, p.GoReturn, p.GoCopy, p.GoHandshake,
	}[which]
}

// attach places programs in an open file. It is all or nothing.
func (p *Programs) attach(f *os.File, points []point) (links []link.Link, err error) {
	executable, err := link.OpenExecutable(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("open executable: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeLinks(links))
			links = nil
		}
	}()
	for which := range programs {
		var some []link.Link
		some, err = p.place(executable, which, points)
		links = append(links, some...)
		if err != nil {
			return links, fmt.Errorf("place probes: %w", err)
		}
	}
	return links, nil
}

// place places one program at all points that are meant for it.
func (p *Programs) place(executable *link.Executable, which program, points []point) ([]link.Link, error) {
	var many link.UprobeMultiOptions
	for _, at := range points {
		if at.program == which {
			many.Addresses = append(many.Addresses, at.offset)
			many.Cookies = append(many.Cookies, at.cookie)
		}
	}
	switch {
	case len(many.Addresses) == 0:
		return nil, nil
	case !p.Multi:
		return p.placeEach(executable, which, &many)
	}
	attach := executable.UprobeMulti
	if which == libraryReturn {
		attach = executable.UretprobeMulti
	}
	l, err := attach(nil, p.program(which), &many)
	if err != nil {
		return nil, err
	}
	return []link.Link{l}, nil
}

func (p *Programs) placeEach(executable *link.Executable, which program, many *link.UprobeMultiOptions) ([]link.Link, error) {
	attach := executable.Uprobe
	if which == libraryReturn {
		attach = executable.Uretprobe
	}
	var links []link.Link
	for i, address := range many.Addresses {
		l, err := attach("", p.program(which), &link.UprobeOptions{Address: address, Cookie: many.Cookies[i]})
		if errors.Is(err, os.ErrPermission) {
			err = fmt.Errorf("%w: before Linux 6.6 this needs CAP_SYS_ADMIN (keep_privileges)", err)
		}
		if err != nil {
			return links, err
		}
		links = append(links, l)
	}
	return links, nil
}

func closeLinks(links []link.Link) error {
	var all []error
	for _, l := range links {
		all = append(all, l.Close())
	}
	return errors.Join(all...)
}
