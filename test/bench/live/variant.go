// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// variant is one way to watch.
type variant struct {
	letter  string
	name    string
	signals string // of the receiver; empty for something else
	capture string // further settings of live capture
	env     []string
	nice    int // how far the receiver stands back behind the traffic (sched(7))
}

// variants are measured in turns, in this order.
var variants = []variant{
	{letter: "A", name: "nobody watches"},
	{letter: "B", name: "Wirespan, spans and log records", signals: "traces,logs"},
	{letter: "S", name: "Wirespan, spans only", signals: "traces"},
	{letter: "L", name: "Wirespan, log records only", signals: "logs"},
	{letter: "F", name: "Wirespan, one end of local calls", signals: "traces,logs", capture: ", local_calls: client"},
	{letter: "G", name: "Wirespan as B, with Go's own `GOGC=100`", signals: "traces,logs", env: []string{"GOGC=100"}},
	{letter: "N", name: "Wirespan as B, with a nice value of 19", signals: "traces,logs", nice: 19},
	{letter: "D", name: "empty reader of the same rings"},
	{letter: "E", name: "`tcpdump -i lo -s 0 -w /dev/null`"},
}

// secureVariants watch encrypted traffic.
var secureVariants = []variant{
	{letter: "P", name: "Wirespan, packets only", signals: "traces,logs", capture: ", tls: {enabled: false}"},
	{letter: "T", name: "Wirespan, plaintext too", signals: "traces,logs"},
	{letter: "U", name: "empty reader of the same rings, with probes"},
}

// chosen are the variants with these letters.
func chosen(letters string) (of []variant) {
	for _, v := range variants {
		if strings.Contains(letters, v.letter) && v.available() {
			of = append(of, v)
		}
	}
	return of
}

// watch starts what watches; nil if nothing does.
func (v *variant) watch(b *bench, round int) (*process, error) {
	switch {
	case v.letter == "A":
		return nil, nil //nolint:nilnil // nobody watches
	case v.letter == "D":
		return startWatcher(b.watching, nil, "drain", fmt.Sprintf("-port=%d", b.port))
	case v.letter == "U":
		return startWatcher(b.watching, nil, "drain", fmt.Sprintf("-port=%d", b.port), "-tls")
	case v.letter == "E":
		return startTcpdump(b.watching)
	}
	config := fmt.Sprintf("{capture: {ebpf: {include: {ports: [%d]}%s}}}", b.port, v.capture)
	args := []string{"receive", "-config", config, "-signals", v.signals}
	if v.nice != 0 {
		args = append(args, fmt.Sprintf("-nice=%d", v.nice))
	}
	if b.profile != "" {
		args = append(args, "-profile", filepath.Join(b.profile, fmt.Sprintf("%s-%d.pprof", v.letter, round)))
	}
	// What make run and the manifests of deploy/ set.
	env := append([]string{"GOGC=400", "GOMEMLIMIT=768MiB"}, v.env...)
	return startWatcher(b.watching, env, args...)
}

// available tells whether the machine and the receiver have what the variant needs.
func (v *variant) available() bool {
	if v.letter == "E" {
		_, err := exec.LookPath("tcpdump")
		return err == nil
	}
	if v.capture == "" {
		return true
	}
	_, err := makeReceiver("{capture: {ebpf: {"+strings.TrimPrefix(v.capture, ", ")+"}}}", "traces", nil, nil)
	return err == nil
}

// said is what a watcher has seen; nothing for one that does not say.
func (v *variant) said(p *process) (s seen, err error) {
	if v.letter == "A" {
		return s, nil
	}
	if err := p.stop(); err != nil || v.letter == "E" {
		return s, err
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &s); err != nil {
		return s, fmt.Errorf("read what %q has seen: %w", v.name, err)
	}
	return s, nil
}

func startTcpdump(g *group) (*process, error) {
	p, err := start(g, nil, "tcpdump", "-i", "lo", "-s", "0", "-w", "/dev/null")
	if err != nil {
		return nil, err
	}
	return p, p.await("listening on", 10*time.Second)
}
