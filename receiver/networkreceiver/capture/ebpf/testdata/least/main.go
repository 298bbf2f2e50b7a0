// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Least captures with whatever privileges it is given, drops them, and prints
// the first request to a port that it sees afterwards, with the name of the
// process that sent it and the privileges of its own threads.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
	"github.com/wirespan/wirespan/receiver/networkreceiver/capture/ebpf"
)

type handler struct {
	port   uint16
	owners map[uint64]*capture.Process
	done   func()
}

func (h *handler) Segment(seg *capture.Segment) {
	p := h.owners[seg.Socket]
	if seg.Destination.Port() != h.port || seg.Direction != capture.Egress || len(seg.Payload) == 0 || p == nil {
		return
	}
	line, _, _ := bytes.Cut(seg.Payload, []byte("\r\n"))
	fmt.Printf("%s by %s %s\n", line, p.Name, filepath.Base(p.Executable))
	h.done()
}

func (h *handler) Owner(socket uint64, p *capture.Process) { h.owners[socket] = p }
func (h *handler) Lost(uint64, capture.LossReason)         {}
func (h *handler) Tick(int64)                              {}

func main() {
	port, err := strconv.ParseUint(os.Args[1], 10, 16)
	if err != nil {
		fail(err)
	}
	s := ebpf.New(ebpf.Settings{Shards: 1}, zap.NewNop(), &ebpf.Stats{})
	if err := s.Start(context.Background()); err != nil {
		fail(err)
	}
	if err := s.DropPrivileges(); err != nil {
		fail(err)
	}
	fmt.Println(strings.Join(privileges(), " "))
	ctx, cancel := context.WithCancel(context.Background())
	h := &handler{port: uint16(port), owners: make(map[uint64]*capture.Process), done: cancel}
	if err := s.Run(ctx, 0, h); err != nil {
		fail(err)
	}
	if err := s.Close(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Println(err)
	os.Exit(1)
}

// privileges are the different lines about privileges of all threads.
func privileges() []string {
	seen := make(map[string]bool)
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue // the thread ended
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(line, ":")
			if name == "CapEff" || name == "CapPrm" || name == "CapAmb" || name == "NoNewPrivs" {
				seen[name+"="+strings.TrimSpace(value)] = true
			}
		}
	}
	var all []string
	for s := range seen {
		all = append(all, s)
	}
	sort.Strings(all)
	return all
}
