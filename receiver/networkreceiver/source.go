// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"os"

	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/pcap"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/probe"
	"github.com/wirespan/wirespan/receiver/networkreceiver/dissect/tls/decrypt"
)

// sourceFunc makes the source that a configuration chooses.
type sourceFunc func(*Config, receiver.Settings) (source, error)

// source is a capture.Source with what the receiver's own telemetry reads of it.
type source struct {
	capture.Source
	// keys open TLS; nil where there are none.
	keys *decrypt.Keys
	// finite is set for a source that ends and that can wait for its consumers.
	finite bool
	// progress tells a finite source's bytes read and bytes in all; may be nil.
	progress func() (done, total int64)
	// attached is called when the source runs; may be nil.
	attached func() error
	// step tells by how much the system's clock was set since the start, ns; may be
	// nil.
	step func() int64
	// bytes, observe, lost and lostBytes tell the source's own counters; each may be nil.
	bytes   func() uint64
	observe func(tell func(kind string, n uint64))
	// programs tells how many connections of each program were seen in which way; may be
	// nil.
	programs func(tell func(program, outcome string, n uint64))
	lost     func(tell func(reason string, n uint64))
	// lostBytes tells the bytes of what is lost, where they are known.
	lostBytes func(tell func(reason string, n uint64))
}

// newSource makes the source that the configuration chooses: live capture, unless
// capture files are named.
func newSource(cfg *Config, set receiver.Settings) (source, error) {
	if cfg.Capture.Pcap.HasValue() {
		files := cfg.Capture.Pcap.Get()
		src := pcapSource(files, cfg.Workers, set.Logger)
		return src, readKeys(src.keys, files.TLSKeys)
	}
	return ebpfSource(cfg.Capture.EBPF.GetOrInsertDefault(), cfg.Workers, set.Logger)
}

func pcapSource(cfg *PcapConfig, workers int, logger *zap.Logger) source {
	keys := new(decrypt.Keys)
	stats := new(pcap.Stats)
	src := pcap.New(pcap.Settings{
		Files: cfg.Files, Shards: workers, IgnoreVLAN: cfg.IgnoreVLAN, Sequential: !cfg.Merge,
		// Secrets that cannot be read open nothing; the packets beside them are good.
		Secrets: func(log []byte) { _ = keys.Read(bytes.NewReader(log)) },
	}, logger, stats)
	return source{
		Source: src, keys: keys, finite: true, progress: src.Progress, bytes: stats.Bytes.Load,
		observe: func(tell func(string, uint64)) {
			tell("file", stats.Files.Load())
			tell("file_error", stats.FileErrors.Load())
			tell("packet", stats.Packets.Load())
			tell("segment", stats.Segments.Load())
			tell("not_transport", stats.NotTransport.Load())
			tell("translated", stats.Translated.Load())
			tell("unknown_payload", stats.UnknownPayload.Load())
			tell("unsupported", stats.Unsupported.Load())
			tell("fragment", stats.Fragments.Load())
		},
		lost: func(tell func(string, uint64)) {
			tell(capture.LossMalformed.String(), stats.Malformed.Load())
			tell(capture.LossFragment.String(), stats.LostFragment.Load())
			tell("truncated", stats.Truncated.Load())
		},
	}
}

// readKeys reads key logs.
func readKeys(keys *decrypt.Keys, files []string) error {
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("open TLS keys: %w", err)
		}
		err = errors.Join(keys.Read(f), f.Close())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func ebpfSource(cfg *EBPFConfig, workers int, logger *zap.Logger) (source, error) {
	include, err := cfg.Include.filter()
	if err != nil {
		return source{}, fmt.Errorf("include: %w", err)
	}
	exclude, err := cfg.Exclude.filter()
	if err != nil {
		return source{}, fmt.Errorf("exclude: %w", err)
	}
	settings := ebpf.Settings{
		LocalCalls: localCalls[cfg.LocalCalls],
		Shards:     workers, RingBytes: powerOfTwo(int(cfg.RingSize)), Cgroup: cfg.CgroupPath,
		Include: include, Exclude: exclude,
		NAT: ebpf.NAT{Enabled: cfg.NAT.Enabled, NetNS: cfg.NAT.NetNS},
		TLS: ebpf.TLS{Enabled: cfg.TLS.Enabled, Include: cfg.TLS.Include.selection(), Exclude: cfg.TLS.Exclude.selection()},
	}
	if err := settings.Validate(); err != nil {
		return source{}, err
	}
	stats := new(ebpf.Stats)
	src := ebpf.New(settings, logger, stats)
	var attached func() error
	if !cfg.KeepPrivileges {
		attached = func() error { return src.DropPrivileges(cfg.keep()...) }
	}
	return source{
		Source: src, attached: attached, step: src.ClockStep, bytes: stats.Bytes.Load, programs: src.EachProgram,
		observe: func(tell func(string, uint64)) {
			tell("packet", stats.Packets.Load())
			tell("packet_cut", stats.TruncatedPacket.Load())
			tell("packet_trimmed", stats.Trimmed.Load())
			tell("owner", stats.Owners.Load())
			tell("peer", stats.Peers.Load())
			tell("left", stats.Left.Load())
			tell("reset", stats.Resets.Load())
			tell("owner_unknown", stats.UnknownOwners.Load())
			tell("process", stats.Processes.Load())
			tell("plain", stats.Plain.Load())
			tell("plain_byte", stats.PlainBytes.Load())
			src.EachTLS(tell)
			src.EachNAT(tell)
		},
		lost: func(tell func(string, uint64)) {
			tell(capture.LossRingFull.String(), stats.LostRingFull.Load())
			tell(capture.LossCopyFailed.String(), stats.LostCopyFailed.Load())
			tell(capture.LossMalformed.String(), stats.LostMalformed.Load())
			tell("plain_"+capture.LossRingFull.String(), stats.LostPlainRingFull.Load())
			tell("plain_"+capture.LossCopyFailed.String(), stats.LostPlainCopyFailed.Load())
			tell(capture.LossShutdown.String(), stats.LostShutdown.Load())
			tell("plain_"+capture.LossShutdown.String(), stats.LostPlainShutdown.Load())
		},
		lostBytes: func(tell func(string, uint64)) {
			tell(capture.LossShutdown.String(), stats.LostShutdownBytes.Load())
			tell("plain_"+capture.LossShutdown.String(), stats.LostPlainShutdownBytes.Load())
		},
	}, nil
}

// keep names the privileges that are needed for as long as the capture runs: to place
// probes in the libraries of processes that start later.
func (c *EBPFConfig) keep() []probe.Capability {
	if c.TLS.Enabled {
		return []probe.Capability{probe.Perfmon}
	}
	return nil
}

var localCalls = map[Sides]ebpf.LocalCalls{
	SidesBoth: ebpf.LocalBoth, SidesClient: ebpf.LocalClient, SidesServer: ebpf.LocalServer,
}

func (c *FilterConfig) filter() (ebpf.Filter, error) {
	ports, portsErr := c.Ports.list()
	cidrs, err := prefixes(c.CIDRs)
	return ebpf.Filter{Ports: ports, Prefixes: cidrs, Cgroups: c.Cgroups, Processes: c.Processes}, errors.Join(portsErr, err)
}

func (c *ProcessesConfig) selection() ebpf.Selection {
	return ebpf.Selection{
		Processes: c.Processes, Executables: c.Executables,
		Cgroups: c.Cgroups, Pods: c.Pods, Containers: c.Containers, Users: c.Users,
	}
}

// powerOfTwo is the smallest power of two that is not below n.
func powerOfTwo(n int) int {
	return 1 << bits.Len(uint(max(n, 1)-1))
}
