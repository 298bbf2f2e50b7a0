// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package ebpf

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestContainerOfCgroupPath(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	other := strings.Repeat("fedcba9876543210", 4)
	const uid = "01234567-89ab-cdef-0123-456789abcdef"
	slice := "kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice"
	static := strings.Repeat("ab", 16)
	for _, tt := range []struct{ path, id, uid string }{
		{"", "", ""},
		{"/", "", ""},
		{"/system.slice/nginx.service", "", ""},
		{"/user.slice/user-1000.slice/session-1.scope", "", ""},
		{"/docker/" + id, id, ""},
		{"/system.slice/docker-" + id + ".scope", id, ""},
		{"/docker/" + id + "/init.scope", id, ""},
		{"/docker/" + other + "/docker/" + id, id, ""},
		{"/default/" + id, id, ""},
		{"/k8s.io/" + id, id, ""},
		{"/system.slice/nerdctl-" + id + ".scope", id, ""},
		{"/machine.slice/libpod-" + id + ".scope", id, ""},
		{"/machine.slice/libpod-" + id + ".scope/container", id, ""},
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", id, ""},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "", ""},
		{"/kubepods.slice/crio-conmon-" + id + ".scope", "", ""},
		{"/kubepods.slice/kubepods-burstable.slice/" + slice + "/cri-containerd-" + id + ".scope", id, uid},
		{"/kubepods.slice/kubepods-burstable.slice/" + slice + "/crio-" + id + ".scope", id, uid},
		{"/kubepods.slice/kubepods-burstable.slice/" + slice + "/docker-" + id + ".scope", id, uid},
		{"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" + strings.ReplaceAll(uid, "-", "_") +
			".slice/cri-containerd-" + id + ".scope", id, uid},
		{"/kubepods/burstable/pod" + uid + "/" + id, id, uid},
		{"/kubepods/pod" + uid + "/" + id, id, uid},
		{"/kubepods/besteffort/pod" + static + "/" + id, id, static},
		{"/system.slice/containerd.service/" + slice + ":cri-containerd:" + id, id, uid},
		{"/kubepods/burstable/pod" + uid, "", uid},
		// A node that is itself a container (kind), with the drivers cgroupfs and systemd.
		{"/docker/" + other + "/kubelet/kubepods/burstable/pod" + uid + "/" + id, id, uid},
		{"/system.slice/docker-" + other + ".scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" +
			strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope", id, uid},
		// Processes of a container with a cgroup manager of its own (systemd in a pod, Docker in a pod).
		{"/kubepods.slice/" + slice + "/crio-" + id + ".scope/system.slice/nginx.service", id, uid},
		{"/kubepods/pod" + uid + "/" + id + "/docker/" + other, id, uid},
		{"/docker/" + other + "/kubelet/kubepods/pod" + uid, "", uid},
		// Seen from within another cgroup namespace.
		{"/../../besteffort/pod" + uid + "/" + id, id, uid},
		{"/../" + slice + "/cri-containerd-" + id + ".scope", id, uid},
		// Junk that looks similar.
		{"/docker/" + id[1:], "", ""},
		{"/docker/" + id + "0", "", ""},
		{"/docker/" + strings.ToUpper(id), "", ""},
		{"/docker/" + strings.Replace(id, "0", "g", 1), "", ""},
		{"/foo-" + id + ".scope", "", ""},
		{"/foo-pod" + uid + ".slice", "", ""},
		{"/kubepods/pod" + uid[1:] + "/x", "", ""},
		{"/kubepods/pod" + strings.ReplaceAll(uid, "-", "x") + "/x", "", ""},
		{"/podman.service", "", ""},
	} {
		assert.Equal(t, tt.id, containerID(tt.path), tt.path)
		assert.Equal(t, tt.uid, podUID(tt.path), tt.path)
	}
}
