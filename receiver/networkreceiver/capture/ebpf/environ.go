// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux && (amd64 || arm64)

package ebpf

import (
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/wirespan/wirespan/receiver/networkreceiver/capture"
)

// What is read of a process's environment, and the longest name that is one.
const (
	maxEnviron     = 256 << 10
	maxServiceName = 255
)

// declare takes over by which names a process goes in OpenTelemetry, if its environment
// says so to an SDK: its records are then under the same name as those of the SDK.
// Nothing else of the environment is looked at.
func declare(p *capture.Process, start uint64) {
	dir := "/proc/" + strconv.Itoa(int(p.PID))
	f, err := os.Open(dir + "/environ")
	if err != nil {
		return
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxEnviron))
	// Asked last: the id may have been reused before the file was opened.
	if _, ticks, err := readStat(dir + "/stat"); err != nil || ticks != start/clockTick {
		return
	}
	readEnviron(p, string(b))
}

// readEnviron reads variables that end in NUL, by the specification of
// OpenTelemetry's environment variables.
func readEnviron(p *capture.Process, environ string) {
	var name string
	for variable := range strings.SplitSeq(environ, "\x00") {
		if value, ok := strings.CutPrefix(variable, "OTEL_SERVICE_NAME="); ok {
			name = value
		}
		if value, ok := strings.CutPrefix(variable, "OTEL_RESOURCE_ATTRIBUTES="); ok {
			readResource(p, value)
		}
	}
	setName(&p.ServiceName, name)
}

// setName keeps nothing of the environment alive but the name.
func setName(to *string, name string) {
	if name != "" && len(name) <= maxServiceName {
		*to = strings.Clone(name)
	}
}

// readResource reads key=value pairs with commas between, percent-encoded.
func readResource(p *capture.Process, list string) {
	for pair := range strings.SplitSeq(list, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if err != nil {
			continue
		}
		switch strings.TrimSpace(key) {
		case "service.name":
			setName(&p.ServiceName, value)
		case "service.namespace":
			setName(&p.ServiceNamespace, value)
		}
	}
}
