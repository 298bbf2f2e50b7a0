// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// errNoCgroup2 says that no cgroup v2 hierarchy is mounted.
var errNoCgroup2 = errors.New("no cgroup v2 file system is mounted: mount one with " +
	"'mount -t cgroup2 none /sys/fs/cgroup/unified', or, in a container, share the host's /sys/fs/cgroup")

// CgroupRoot finds where the cgroup v2 hierarchy is mounted: at /sys/fs/cgroup,
// below it in a hybrid layout, or elsewhere.
func CgroupRoot() (string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("open mount table: %w", err)
	}
	defer f.Close()
	return findCgroup2(f)
}

// findCgroup2 reads a mount table in the form of proc(5), "mountinfo". A mount of
// the whole hierarchy is preferred to a bind mount of a part of it.
func findCgroup2(table io.Reader) (string, error) {
	var partial string
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		mount, rest, ok := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(mount)
		if !ok || len(fields) < 5 || !strings.HasPrefix(rest, "cgroup2 ") {
			continue
		}
		if fields[3] == "/" {
			return unescape(fields[4]), nil
		}
		if partial == "" {
			partial = unescape(fields[4])
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read mount table: %w", err)
	}
	if partial == "" {
		return "", errNoCgroup2
	}
	return partial, nil
}

// unescape undoes the octal escapes of proc(5).
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
