// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package networkreceiver // import "github.com/wirespan/wirespan/receiver/networkreceiver"

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Ports is a list of ports and ranges of ports: 22, "22", "9000-9100".
type Ports []any

// list returns all ports that are meant.
func (p Ports) list() ([]uint16, error) {
	var all []uint16
	for _, entry := range p {
		first, last, err := portRange(entry)
		if err != nil {
			return nil, err
		}
		for port := first; port <= last; port++ {
			all = append(all, uint16(port))
		}
	}
	return all, nil
}

func portRange(entry any) (first, last int, err error) {
	text := fmt.Sprint(entry)
	from, to, isRange := strings.Cut(text, "-")
	if first, err = parsePort(text, from); err != nil || !isRange {
		return first, first, err
	}
	if last, err = parsePort(text, to); err != nil {
		return 0, 0, err
	}
	if last < first {
		return 0, 0, fmt.Errorf("parse ports %q: the range ends before it begins", text)
	}
	return first, last, nil
}

func parsePort(entry, text string) (int, error) {
	port, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || port < 1 || port > math.MaxUint16 {
		return 0, fmt.Errorf("parse ports %q: want a port between 1 and %d or a range such as 9000-9100", entry, math.MaxUint16)
	}
	return port, nil
}
