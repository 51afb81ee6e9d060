// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// asks is one request of every kind, reading ones too.
func asks(f *family) map[string]func() error {
	table := text(attrTable, "int")
	do := func(cmd uint8, attrs ...[]byte) func() error {
		return func() error { _, err := f.do(cmd, attrs...); return err }
	}
	dump := func(cmd uint8, attrs ...[]byte) func() error {
		return func() error { _, _, err := f.dump(cmd, attrs...); return err }
	}
	return map[string]func() error{
		"table-new": do(cmdTableNew, text(attrTable, "mine"), num(attrKeyType, uint32(dict.KeyInt)), num(attrLimit, 1)),
		"table-del": do(cmdTableDel, text(attrTable, "mine")), "table-get": do(cmdTableGet, table), "table-get dump": dump(cmdTableGet),
		"field-new": do(cmdFieldNew, table, field("more", dict.Int)), "row-put": do(cmdRowPut, table, row(intKey(1))), "row-get": do(cmdRowGet, table, row(intKey(1))),
		"row-get dump": dump(cmdRowGet, table), "row-del": do(cmdRowDel, table, row(intKey(1))), "row-renew": do(cmdRowRenew, table, row(intKey(1))), "flush": do(cmdFlush, table),
		"row-add": do(cmdRowAdd, table, row(intKey(1))), "recall": do(cmdRecall, num(attrIDs, 1)),
		"join changes": func() error {
			return unix.SetsockoptInt(f.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(f.group))
		},
		"join writes": func() error {
			return unix.SetsockoptInt(f.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(f.heeds))
		},
		"open all":    func() error { return opened("all", os.O_RDONLY) },
		"open read":   func() error { return opened("read", os.O_RDWR) },
		"open write":  func() error { return opened("write", os.O_WRONLY) },
		"open delete": func() error { return opened("delete", os.O_WRONLY) },
	}
}

func opened(name string, flags int) error {
	f, err := os.OpenFile(dir+name, flags, 0)
	if err == nil {
		f.Close()
	}
	return err
}

// denied checks that all is refused.
func denied(f *family) (errs []error) {
	for name, ask := range asks(f) {
		if err := ask(); !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
			errs = append(errs, fmt.Errorf("%s: %v, want %v", name, err, unix.EPERM))
		}
	}
	return errs
}

// TestRights: without CAP_NET_ADMIN in the user namespace to which the network
// namespace belongs nothing can be done, and nothing read.
func TestRights(t *testing.T) {
	newHost(t)
	f := newFamily(t)
	tables(t, f)
	for _, name := range []string{"all", "read", "write", "delete"} {
		info, err := os.Stat(dir + name)
		if err != nil || info.Mode().Perm() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("%s: %v, %v, want mode 0600 and root", name, info.Mode(), err)
		}
	}
	for name, ask := range asks(f) {
		if err := ask(); err != nil && name != "table-del" { // which may come before table-new
			t.Errorf("with all rights: %s: %v", name, err)
		}
	}
	for name, drop := range map[string]func() error{
		"without CAP_NET_ADMIN": func() error {
			hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var data [2]unix.CapUserData
			if err := unix.Capget(&hdr, &data[0]); err != nil {
				return err
			}
			data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
			data[0].Permitted &^= 1 << unix.CAP_NET_ADMIN
			return unix.Capset(&hdr, &data[0])
		},
		"as somebody else": func() error {
			// The thread alone, which ends with what it is.
			if _, _, err := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); err != 0 {
				return err
			}
			return nil
		},
	} {
		crowd(t, 1, func(int) error {
			if err := drop(); err != nil {
				return err
			}
			s, err := openSocket(unix.NETLINK_GENERIC)
			if err != nil {
				return err
			}
			defer unix.Close(s.fd)
			for _, err := range denied(&family{socket: s, id: f.id, group: f.group, heeds: f.heeds}) {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		}).Wait()
	}
}

// TestUserNamespaces: root of a user namespace may do everything in a network
// namespace of its own, and nothing in that of others.
func TestUserNamespaces(t *testing.T) {
	const role = "NFTDICT_TEST_RIGHTS"
	if what := os.Getenv(role); what != "" {
		runtime.LockOSThread()
		f := newFamily(t)
		if what == "denied" {
			for _, err := range denied(f) {
				t.Error(err)
			}
			return
		}
		tables(t, f)
		for name, ask := range asks(f) {
			if err := ask(); err != nil && name != "table-del" {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := write("write", "table=T,key_int=1,field=f,int=5"); err != nil {
			t.Error(err)
		}
		if got, want := all(t), "table: T key_int: 1 field: f int: 5"; !strings.Contains(got, want) {
			t.Errorf("all is %q, want %q in it", got, want)
		}
		return
	}
	newHost(t)
	tables(t, newFamily(t))
	for what, flags := range map[string]uintptr{"denied": unix.CLONE_NEWUSER, "allowed": unix.CLONE_NEWUSER | unix.CLONE_NEWNET} {
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestUserNamespaces$", "-test.v")
		cmd.Env = append(os.Environ(), role+"="+what)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  flags,
			UidMappings: []syscall.SysProcIDMap{{Size: 1}}, GidMappings: []syscall.SysProcIDMap{{Size: 1}},
		}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("root of another user namespace (%s): %v\n%s", what, err, out)
		}
	}
}
