// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// explain wraps an error of the kernel with the sentinel that callers branch
// on, and says what is needed.
func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w: needs root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN: %w", what, dict.ErrPermission, err)
	case errors.Is(err, unix.ENOSYS), errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("%s: %w: needs Linux 6.1 with CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF: %w", what, dict.ErrNotSupported, err)
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%s: %w: needs a kernel with CONFIG_BPF_SYSCALL: %w", what, dict.ErrNotSupported, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// join keeps a single error as it is.
func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
