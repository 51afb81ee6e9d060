// SPDX-License-Identifier: MIT

package doctor

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// What xt_bpf is given (struct xt_bpf_info_v1).
const (
	xtBPFSize   = 528
	xtBPFModeFd = 2 // XT_BPF_MODE_FD_ELF
)

func tryBPF(context.Context) (string, error) {
	p, err := filter()
	if err != nil {
		return "", err
	}
	return "", p.Close()
}

// filter loads a socket filter that matches nothing.
func filter() (*ebpf.Program, error) {
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.SocketFilter,
		License:      "Dual MIT/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
}

func tryBPFSyscall(context.Context) (string, error) {
	return "", features.HaveProgramType(ebpf.Syscall)
}

// tryBPFHelpers looks for what programs in rules call: to read the packet, to
// go over strings, and to tell the time.
func tryBPFHelpers(context.Context) (string, error) {
	for _, helper := range []asm.BuiltinFunc{asm.FnSkbLoadBytesRelative, asm.FnProbeReadKernel, asm.FnLoop, asm.FnKtimeGetCoarseNs} {
		if err := features.HaveProgramHelper(ebpf.SocketFilter, helper); err != nil {
			return "", fmt.Errorf("%v: %w", helper, err)
		}
	}
	return "", nil
}

func tryBPFFS(context.Context) (string, error) {
	known, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return "", err
	}
	if !strings.Contains(string(known), "\tbpf\n") {
		return "", errors.New("the kernel has no such file system")
	}
	mounts, err := bpfMounts()
	if err != nil {
		return "", err
	}
	if len(mounts) == 0 {
		return "not mounted yet: it is mounted when a table is made", nil
	}
	return "at " + strings.Join(mounts, ", "), nil
}

// bpfMounts lists where a bpffs is mounted.
func bpfMounts() ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var at []string
	for s := bufio.NewScanner(f); s.Scan(); {
		place, kind, ok := strings.Cut(s.Text(), " - ")
		if fields := strings.Fields(place); ok && len(fields) > 4 && strings.HasPrefix(kind, "bpf ") {
			at = append(at, fields[4])
		}
	}
	return at, nil
}

func tryMatchBPF(context.Context) (string, error) {
	p, err := filter()
	if err != nil {
		return "", err
	}
	defer p.Close()
	info := make(xt.Unknown, xtBPFSize)
	binary.NativeEndian.PutUint16(info, xtBPFModeFd)
	binary.NativeEndian.PutUint32(info[4:], uint32(p.FD()))
	return "", tryRule(chain(nftables.ChainHookForward), &expr.Match{Name: "bpf", Rev: 1, Info: &info})
}

func tryBTF(context.Context) (string, error) {
	const path = "/sys/kernel/btf/vmlinux"
	if _, err := os.Stat(path); err != nil {
		return "no " + path, err
	}
	return path, nil
}

func tryModule(context.Context) (string, error) {
	const name = "nft_dict"
	if v, err := readLine("/sys/module/" + name + "/version"); err == nil {
		return "version " + v, nil
	}
	if _, err := os.Stat("/sys/module/" + name); err != nil {
		return fmt.Sprintf("module %s is not loaded", name), err
	}
	return "loaded", nil
}
