// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Package ebpf captures live traffic at the sockets of this machine, by eBPF
// programs on a cgroup v2 directory. It is a source of stage 1.
package ebpf // import "github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
