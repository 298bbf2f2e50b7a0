// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cilium/ebpf"

	"github.com/wirespan/wirespan/bpf"
)

// Flags of an entry in a filter's list, as in bpf/lib/socket/filter.h.
const (
	includeFlag = uint8(bpf.CaptureFilterFlagINCLUDE)
	excludeFlag = uint8(bpf.CaptureFilterFlagEXCLUDE)
	cutShift    = 2 // the same, of a longer name that begins like this
)

// filterLists are the entries of the kernel's lists.
type filterLists struct {
	ports     map[uint16]uint8
	prefixes  map[netip.Prefix]uint8
	cgroups   map[string]uint8
	processes map[string]uint8
}

func makeFilterLists(s *Settings) filterLists {
	return filterLists{
		ports:     merge(s.Include.Ports, s.Exclude.Ports),
		prefixes:  merge(masked(s.Include.Prefixes), masked(s.Exclude.Prefixes)),
		cgroups:   merge(cleaned(s.Include.Cgroups), cleaned(s.Exclude.Cgroups)),
		processes: withCutNames(merge(s.Include.Processes, s.Exclude.Processes)),
	}
}

func merge[K comparable](include, exclude []K) map[K]uint8 {
	flags := make(map[K]uint8, len(include)+len(exclude))
	for _, k := range include {
		flags[k] |= includeFlag
	}
	for _, k := range exclude {
		flags[k] |= excludeFlag
	}
	return flags
}

// withCutNames adds the beginnings of names that are longer than what the kernel keeps of
// a process's own.
func withCutNames(names map[string]uint8) map[string]uint8 {
	all := maps.Clone(names)
	for name, flags := range names {
		if len(name) > maxCommLen {
			all[name[:maxCommLen]] |= flags << cutShift
		}
	}
	return all
}

func masked(prefixes []netip.Prefix) []netip.Prefix {
	var all []netip.Prefix
	for _, p := range prefixes {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		all = append(all, p.Masked())
	}
	return all
}

func cleaned(paths []string) []string {
	var all []string
	for _, p := range paths {
		all = append(all, filepath.Clean(p))
	}
	return all
}

// prepare sets which lists there are and makes room for them, before the
// programs are loaded.
func (l *filterLists) prepare(spec *ebpf.CollectionSpec) error {
	return prepareLists(spec, []filterList{
		{bpf.CaptureVarFilterPorts, bpf.CaptureVarIncludePorts, bpf.CaptureMapPorts, values(l.ports)},
		{bpf.CaptureVarFilterAddresses, bpf.CaptureVarIncludeAddresses, bpf.CaptureMapPrefixes4, values(l.prefixes)},
		{bpf.CaptureVarFilterAddresses, bpf.CaptureVarIncludeAddresses, bpf.CaptureMapPrefixes6, values(l.prefixes)},
		{bpf.CaptureVarFilterCgroups, bpf.CaptureVarIncludeCgroups, bpf.CaptureMapCgroups, values(l.cgroups)},
		{bpf.CaptureVarFilterProcesses, bpf.CaptureVarIncludeProcesses, bpf.CaptureMapNames, values(l.processes)},
	})
}

// filterList is one list in the kernel: the variables that say whether it is in use
// and whether it includes something, its map, and the flags of its entries.
type filterList struct {
	use, include, maps string
	flags              []uint8
}

func prepareLists(spec *ebpf.CollectionSpec, lists []filterList) error {
	for _, list := range lists {
		var all uint8
		for _, f := range list.flags {
			all |= f
		}
		if err := setVariable(spec, list.use, all != 0); err != nil {
			return err
		}
		if err := setVariable(spec, list.include, all&(includeFlag|includeFlag<<cutShift) != 0); err != nil {
			return err
		}
		spec.Maps[list.maps].MaxEntries = uint32(max(len(list.flags), 1))
	}
	return nil
}

func values[K comparable](m map[K]uint8) []uint8 {
	var all []uint8
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// write fills the lists before the programs are attached. Cgroups are resolved
// below root; those that do not exist are returned.
func (l *filterLists) write(o *bpf.CaptureMaps, root string) (absent []string, err error) {
	for port, flags := range l.ports {
		if err := o.Ports.Put(port, flags); err != nil {
			return nil, fmt.Errorf("filter port %d: %w", port, err)
		}
	}
	for prefix, flags := range l.prefixes {
		key, table := prefixKey(prefix), o.Prefixes6
		if prefix.Addr().Is4() {
			table = o.Prefixes4
		}
		if err := table.Put(key, flags); err != nil {
			return nil, fmt.Errorf("filter prefix %s: %w", prefix, err)
		}
	}
	for name, flags := range l.processes {
		if err := o.Names.Put(nameKey(name), flags); err != nil {
			return nil, fmt.Errorf("filter process %q: %w", name, err)
		}
	}
	for path, flags := range l.cgroups {
		id, err := cgroupID(filepath.Join(root, path))
		if os.IsNotExist(err) {
			absent = append(absent, path)
			continue
		}
		if err == nil {
			err = o.Cgroups.Put(id, flags)
		}
		if err != nil {
			return nil, fmt.Errorf("filter cgroup %q: %w", path, err)
		}
	}
	return absent, nil
}

// prefixKey is the kernel's form of a prefix: 128 bits, of which the first 96 are
// zero for IPv4.
func prefixKey(p netip.Prefix) bpf.CapturePrefix {
	key := bpf.CapturePrefix{Length: uint32(p.Bits())}
	if p.Addr().Is4() {
		a := p.Addr().As4()
		key.Length += 96
		key.Address[3] = binary.NativeEndian.Uint32(a[:])
		return key
	}
	a := p.Addr().As16()
	for i := range key.Address {
		key.Address[i] = binary.NativeEndian.Uint32(a[4*i:])
	}
	return key
}

func nameKey(name string) (key bpf.CaptureFilterName) {
	copy(key.Name[:len(key.Name)-1], name)
	return key
}

// cgroupID is the id of a cgroup v2 directory: its inode number.
func cgroupID(dir string) (uint64, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Ino == math.MaxUint64 {
		return 0, fmt.Errorf("read inode of %s: %w", dir, os.ErrInvalid)
	}
	return st.Ino, nil
}

func setVariable(spec *ebpf.CollectionSpec, name string, value any) error {
	if err := spec.Variables[name].Set(value); err != nil {
		return fmt.Errorf("set variable %s: %w", name, err)
	}
	return nil
}
