// SPDX-License-Identifier: MIT

package child

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	abi "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"nftdict/dictd/portal/web"
)

// confine gives up all that the process could do besides its work. It is done before
// a byte from outside is read.
func confine(log *slog.Logger) error {
	if err := unprivileged(); err != nil {
		return err
	}
	for _, l := range []struct {
		name string
		what int
		most uint64
	}{
		{"descriptors", unix.RLIMIT_NOFILE, web.MaxConnections + web.OtherFiles},
		{"data", unix.RLIMIT_DATA, 2 * maxMemory},
		{"files", unix.RLIMIT_FSIZE, 0},
		{"core", unix.RLIMIT_CORE, 0},
		{"locked", unix.RLIMIT_MEMLOCK, 0},
	} {
		if err := lower(l.what, l.most); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_DUMPABLE): %w", err)
	}
	if v, err := abi.LandlockGetABIVersion(); err != nil || v < 1 {
		log.Warn("this kernel has no landlock: only another user's rights and the filter of system calls keep the portal's pages from files")
	}
	if err := shut(); err != nil {
		return err
	}
	return install(filter())
}

// unprivileged refuses to have rights.
func unprivileged() error {
	if os.Geteuid() == 0 || os.Getuid() == 0 {
		return errors.New("this process may not be root's")
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	for _, c := range have {
		if c.Effective|c.Permitted|c.Inheritable != 0 {
			return errors.New("this process may not have capabilities")
		}
	}
	return nil
}

// lower sets a limit, which may be lower already.
func lower(what int, most uint64) error {
	var have unix.Rlimit
	if err := unix.Getrlimit(what, &have); err != nil {
		return err
	}
	most = min(most, have.Max)
	return unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most})
}

// shut lets landlock refuse all it can: every file, ports of TCP and UDP, signals and
// abstract sockets of others. It sets no_new_privs as well. Older kernels refuse
// less. The library is kept for the versions of landlock: there are a dozen.
func shut() error {
	if err := landlock.V11.BestEffort().Restrict(); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}
