// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package probe

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

const (
	kernelTypes  = "/sys/kernel/btf/vmlinux"
	lockdownFile = "/sys/kernel/security/lockdown"
	userMap      = "/proc/self/uid_map"
)

// Check tells in one error all that is missing for a capture on the cgroup v2
// directory dir (empty: the root of the hierarchy), and how to give it. The
// features of the kernel are tried only if the privileges to try them are there.
func Check(dir string) error {
	missing := []error{checkCapabilities(), checkTypes(kernelTypes), checkLockdown(lockdownFile), checkCgroup(dir)}
	if err := join(missing); err != nil {
		return err
	}
	return join([]error{checkFeatures()})
}

// join makes one line of what is missing.
func join(missing []error) error {
	var lines []string
	for _, err := range missing {
		if err != nil {
			lines = append(lines, err.Error())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New("capture by eBPF is not possible: " + strings.Join(lines, "; "))
}

func checkCapabilities() error {
	d, err := readCapabilities()
	if err != nil {
		return err
	}
	if err := checkUserNamespace(userMap); err != nil {
		return err
	}
	return missingCapabilities(d.effective())
}

func missingCapabilities(have capabilitySet) error {
	if have.has(SysAdmin) {
		return nil // includes the others for all that is done here
	}
	var missing []Capability
	for _, c := range Needed {
		if !have.has(c) {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	wanted := append(slices.Clone(Needed), SysPtrace)
	container := strings.ReplaceAll(joinCapabilities(wanted, ", "), "CAP_", "")
	return fmt.Errorf("missing privileges %s: run as root, or with 'AmbientCapabilities=%s' in the systemd unit, "+
		"or 'setcap %s+ep' on the program, or 'securityContext.capabilities.add: [%s]' in the container "+
		"(%v is for TLS in processes of other users)",
		joinCapabilities(missing, ", "), joinCapabilities(wanted, " "), strings.ToLower(joinCapabilities(wanted, ",")),
		container, SysPtrace)
}

func joinCapabilities(all []Capability, separator string) string {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.String()
	}
	return strings.Join(names, separator)
}

// checkUserNamespace tells whether the capabilities are those of the machine.
func checkUserNamespace(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil // no user namespaces in this kernel
	}
	if f := strings.Fields(string(b)); len(f) == 3 && f[0] == "0" && f[1] == "0" && f[2] == "4294967295" {
		return nil
	}
	return errors.New("the process runs in a user namespace, where privileges do not reach the kernel: " +
		"run it outside (a container: without user namespace remapping, not rootless)")
}

func checkTypes(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the kernel's type information %s can not be read: use a kernel that is built with "+
			"CONFIG_DEBUG_INFO_BTF=y, and in a container make /sys visible", path)
	}
	return f.Close()
}

// checkLockdown tells whether kernel_lockdown(7) forbids programs to read kernel
// memory.
func checkLockdown(path string) error {
	b, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(b), "[confidentiality]") {
		return nil
	}
	return errors.New("the kernel is locked down for confidentiality, which forbids eBPF to read kernel memory: " +
		"boot with 'lockdown=integrity' or without lockdown")
}

func checkCgroup(dir string) error {
	if dir == "" {
		root, err := CgroupRoot()
		if err != nil {
			return err
		}
		dir = root
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("cgroup %s can not be used (%w): name an existing directory of the cgroup v2 hierarchy", dir, err)
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return fmt.Errorf("%s is not in a cgroup v2 file system: name a directory of the cgroup v2 hierarchy", dir)
	}
	return nil
}

// requirement is a feature of the kernel, and what it is for.
type requirement struct {
	what  string
	probe func() error
}

func requirements() []requirement {
	helper := func(pt ebpf.ProgramType, h asm.BuiltinFunc) func() error {
		return func() error { return features.HaveProgramHelper(pt, h) }
	}
	maps := func(mt ebpf.MapType) func() error { return func() error { return features.HaveMapType(mt) } }
	return []requirement{
		{"ring buffers", maps(ebpf.RingBuf)},
		{"socket storage", maps(ebpf.SkStorage)},
		{"prefix tables", maps(ebpf.LPMTrie)},
		{"cgroup_skb programs", func() error { return features.HaveProgramType(ebpf.CGroupSKB) }},
		{"bounded loops", features.HaveBoundedLoops},
		{"socket types in cgroup_skb programs", helper(ebpf.CGroupSKB, asm.FnSkcToTcpSock)},
		{"the current task in cgroup_skb programs", helper(ebpf.CGroupSKB, asm.FnGetCurrentTaskBtf)},
	}
}

func checkFeatures() error { return missingFeatures(requirements()) }

// missingFeatures counts only what is certainly not there: a probe that is
// inconclusive is left to the loading of the programs.
func missingFeatures(all []requirement) error {
	var missing []string
	for _, r := range all {
		if errors.Is(r.probe(), ebpf.ErrNotSupported) {
			missing = append(missing, r.what)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("the kernel (%s) has no %s: use Linux %s or newer with CONFIG_BPF_SYSCALL=y and CONFIG_CGROUP_BPF=y",
		release(), strings.Join(missing, ", no "), MinimumKernel)
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
