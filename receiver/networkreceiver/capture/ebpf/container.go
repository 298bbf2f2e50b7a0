// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package ebpf

import "strings"

// Forms in which a runtime names the cgroup of a container, apart from the bare
// id, as the systemd and cgroupfs drivers of docker, containerd, CRI-O and podman
// make them. A monitor of the runtime ("libpod-conmon-", "crio-conmon-") is none.
var containerPrefixes = []string{"docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-", "containerd-"}

const (
	containerIDLen = 64
	podUIDLen      = 36
	staticPodLen   = 32 // the hash of a static pod's manifest
)

// containerID is the id in the innermost part of a cgroup path that names a
// container, or empty. In a pod it is that of the pod's own container: Kubernetes knows
// nothing of those that are made within it.
func containerID(path string) string {
	inner, outer := "", ""
	for path != "" {
		var name string
		path, name = lastPart(path)
		if id := containerIDOf(name); id != "" {
			outer = id
			if inner == "" {
				inner = id
			}
		}
		if podUIDOf(name) != "" {
			return outer
		}
	}
	return inner
}

func containerIDOf(name string) string {
	name = strings.TrimSuffix(name, ".scope")
	// A runtime with the systemd driver's path and the cgroupfs driver's naming:
	// "kubepods-pod<uid>.slice:cri-containerd:<id>".
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	for _, p := range containerPrefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			name = rest
			break
		}
	}
	if len(name) == containerIDLen && isHex(name) {
		return name
	}
	return ""
}

// podUID is the Kubernetes pod's UID in a cgroup path, or empty.
func podUID(path string) string {
	for path != "" {
		var name string
		path, name = lastPart(path)
		if uid := podUIDOf(name); uid != "" {
			return uid
		}
	}
	return ""
}

func podUIDOf(name string) string {
	name, _, _ = strings.Cut(name, ":")
	name, slice := strings.CutSuffix(name, ".slice")
	if slice {
		i := strings.LastIndex(name, "-pod")
		if i < 0 || !strings.Contains(name, "kubepods") {
			return ""
		}
		name = strings.ReplaceAll(name[i+1:], "_", "-")
	}
	uid, ok := strings.CutPrefix(name, "pod")
	switch {
	case !ok:
		return ""
	case len(uid) == staticPodLen && isHex(uid):
		return uid
	case len(uid) == podUIDLen && isUUID(uid):
		return uid
	}
	return ""
}

func isUUID(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if i > 4 || len(part) != [...]int{8, 4, 4, 4, 12}[i] || !isHex(part) {
			return false
		}
	}
	return true
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func lastPart(path string) (rest, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}
