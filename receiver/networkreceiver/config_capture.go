// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
)

// CaptureConfig chooses the source. At most one block may be given.
type CaptureConfig struct {
	EBPF configoptional.Optional[EBPFConfig] `mapstructure:"ebpf"`
	Pcap configoptional.Optional[PcapConfig] `mapstructure:"pcap"`

	_ struct{}
}

// EBPFConfig captures live traffic.
type EBPFConfig struct {
	// CgroupPath is the cgroup v2 directory whose processes are captured; empty
	// means the root, found in the mount table.
	CgroupPath string `mapstructure:"cgroup_path"`
	// RingSize is the size of each worker's ring buffer; rounded up to a power of
	// two.
	RingSize ByteSize `mapstructure:"ring_size"`
	// KeepPrivileges leaves the process the capabilities that nothing needs after
	// the programs are attached.
	KeepPrivileges bool `mapstructure:"keep_privileges"`
	// LocalCalls says which ends of calls are captured whose both ends are on this
	// machine: client, server or both.
	LocalCalls Sides `mapstructure:"local_calls"`
	// TLS takes the plaintext of encrypted connections where processes have it.
	TLS TLSConfig `mapstructure:"tls"`
	// NAT asks the kernel where packets go whose addresses it translates.
	NAT NATConfig `mapstructure:"nat"`
	// Include captures only sockets that match all lists that are not empty.
	Include FilterConfig `mapstructure:"include"`
	// Exclude never captures sockets that match any entry.
	Exclude FilterConfig `mapstructure:"exclude"`

	_ struct{}
}

// NATConfig says of which network namespace connection tracking is listened to.
type NATConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// NetNS is the file of a network namespace; empty means the collector's own.
	NetNS string `mapstructure:"netns"`

	_ struct{}
}

// TLSConfig says whether to look into the TLS libraries of processes, and of which.
type TLSConfig struct {
	Enabled bool `mapstructure:"enabled"`
	// Include looks only into processes that match all lists that are not empty.
	Include ProcessesConfig `mapstructure:"include"`
	// Exclude never looks into processes that match any entry.
	Exclude ProcessesConfig `mapstructure:"exclude"`

	_ struct{}
}

// ProcessesConfig selects processes. Names and paths may have wildcards.
type ProcessesConfig struct {
	Processes   []string `mapstructure:"processes"`   // process names (comm, 15 bytes) or names of executables
	Executables []string `mapstructure:"executables"` // paths of executables
	Cgroups     []string `mapstructure:"cgroups"`     // paths below the cgroup v2 root, with everything below them
	Pods        []string `mapstructure:"pods"`        // UIDs of Kubernetes pods
	Containers  []string `mapstructure:"containers"`  // ids, or their first 12 digits
	Users       []uint32 `mapstructure:"users"`       // ids

	_ struct{}
}

// FilterConfig selects sockets before anything is copied.
type FilterConfig struct {
	Ports     Ports    `mapstructure:"ports"`     // local or remote
	CIDRs     []string `mapstructure:"cidrs"`     // local or remote address
	Cgroups   []string `mapstructure:"cgroups"`   // paths below the cgroup v2 root, with everything below them
	Processes []string `mapstructure:"processes"` // names of processes or of executables

	_ struct{}
}

// OnEnd says what happens when all capture files are read.
type OnEnd string

// Values of OnEnd.
const (
	OnEndWait OnEnd = "wait" // the collector keeps running
	OnEndExit OnEnd = "exit" // the collector ends after everything has been exported
)

// PcapConfig reads capture files.
type PcapConfig struct {
	// Files are paths or globs of pcap and pcapng files, also gzip or zstd.
	Files []string `mapstructure:"files"`
	OnEnd OnEnd    `mapstructure:"on_end"`
	// Spans says for which ends of a call there is a span: client, server or both.
	Spans Sides `mapstructure:"spans"`
	// IgnoreVLAN joins connections whose directions were captured with different
	// VLAN tags, as some mirror ports do.
	IgnoreVLAN bool `mapstructure:"ignore_vlan"`
	// Merge merges files that overlap in time by the times of their packets. Without it
	// they are read one after another.
	Merge bool `mapstructure:"merge"`
	// TLSKeys are files in the format of SSLKEYLOGFILE, which open TLS connections.
	TLSKeys []string `mapstructure:"tls_keys"`

	_ struct{}
}

// Sides names ends of a call.
type Sides string

// Values of Sides.
const (
	SidesClient Sides = "client"
	SidesServer Sides = "server"
	SidesBoth   Sides = "both"
)

func (s Sides) valid() bool { return s == SidesClient || s == SidesServer || s == SidesBoth }

// Validate implements [confmap.Validator].
func (c *EBPFConfig) Validate() error {
	if c.RingSize < ebpf.MinRingBytes || c.RingSize > ebpf.MaxRingBytes {
		return fmt.Errorf("ring_size must be between %v and %v, is %v",
			ByteSize(ebpf.MinRingBytes), ByteSize(ebpf.MaxRingBytes), c.RingSize)
	}
	if !c.LocalCalls.valid() {
		return fmt.Errorf("local_calls must be client, server or both, is %q", c.LocalCalls)
	}
	return nil
}

// Validate implements [confmap.Validator].
func (c *ProcessesConfig) Validate() error {
	s := c.selection()
	return s.Validate()
}

// Validate implements [confmap.Validator].
func (c *FilterConfig) Validate() error {
	var errs []error
	if _, err := c.Ports.list(); err != nil {
		errs = append(errs, fmt.Errorf("ports: %w", err))
	}
	if _, err := prefixes(c.CIDRs); err != nil {
		errs = append(errs, fmt.Errorf("cidrs: %w", err))
	}
	return errors.Join(errs...)
}

// Validate implements [confmap.Validator].
func (c *PcapConfig) Validate() error {
	if len(c.Files) == 0 {
		return errors.New("files must name at least one capture file")
	}
	for _, f := range c.Files {
		if _, err := filepath.Match(f, ""); err != nil {
			return fmt.Errorf("files: %q: %w", f, err)
		}
	}
	if c.OnEnd != OnEndWait && c.OnEnd != OnEndExit {
		return fmt.Errorf("on_end must be wait or exit, is %q", c.OnEnd)
	}
	if !c.Spans.valid() {
		return fmt.Errorf("spans must be client, server or both, is %q", c.Spans)
	}
	return nil
}

func prefixes(texts []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if !strings.Contains(text, "/") {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("parse address: %w", err)
			}
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("parse prefix: %w", err)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
