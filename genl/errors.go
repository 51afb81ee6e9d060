// SPDX-License-Identifier: MIT

package genl

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// refusal is what the module answers to a request, or says of one row of it.
// It is the kernel's errno, the sentinel of package dict that stands for it,
// and the module's words.
type refusal struct {
	errno unix.Errno
	text  string // may be empty
}

// Error begins with the sentinel's words, as errors of all stores do.
func (r *refusal) Error() string {
	s := r.errno.Error()
	if sentinel := sentinelOf(r.errno); sentinel != nil {
		s = sentinel.Error()
	}
	if r.errno == unix.EPERM {
		s += ": needs CAP_NET_ADMIN, in the user namespace of the network namespace"
	}
	if r.text != "" && r.text != s { // the module may say no more than the errno does
		s += ": " + r.text
	}
	return s
}

// Unwrap returns the sentinel of package dict, if there is one, and the errno.
func (r *refusal) Unwrap() []error {
	if s := sentinelOf(r.errno); s != nil {
		return []error{s, r.errno}
	}
	return []error{r.errno}
}

// sentinelOf returns the error of package dict that an errno of the module
// stands for, nil if none does.
func sentinelOf(errno unix.Errno) error {
	switch errno {
	case unix.ENOENT, unix.ENODATA, unix.ESTALE:
		return dict.ErrNotExist
	case unix.EEXIST:
		return dict.ErrExist
	case unix.EINVAL:
		return dict.ErrInvalid
	case unix.EPROTOTYPE, unix.EKEYREJECTED:
		return dict.ErrType
	case unix.ENAMETOOLONG, unix.EMSGSIZE, unix.E2BIG:
		return dict.ErrTooLong
	case unix.ERANGE:
		return dict.ErrRange
	case unix.ENOSPC, unix.EFBIG, unix.ENOBUFS:
		return dict.ErrFull
	case unix.EBUSY:
		return dict.ErrBusy
	case unix.EPERM, unix.EACCES:
		return dict.ErrPermission
	case unix.EOPNOTSUPP:
		return dict.ErrNotSupported
	}
	return nil
}

// explain wraps an error that is not the module's answer.
func explain(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return &refusal{errno: unix.EPERM}
	}
	return fmt.Errorf("netlink: %w", err)
}

// Remedy says how the module comes to be there.
const Remedy = "install it with make install-kmod (DKMS; needs the kernel's headers), then modprobe nft_dict"

// ErrAbsent says that the module is not loaded. Errors that wrap it wrap
// dict.ErrNotSupported, too.
var ErrAbsent = errors.New("the kernel module nft_dict is not loaded")

func errAbsent() error {
	return fmt.Errorf("%w: %w: %s", dict.ErrNotSupported, ErrAbsent, Remedy)
}

// errVersion says that the module speaks another version of the protocol.
func errVersion(v uint8) error {
	return fmt.Errorf("%w: the kernel module nft_dict speaks version %d of its protocol, want %d: %s", dict.ErrNotSupported, v, familyVersion, Remedy)
}

// errOlder says that the module is older than what is asked of it.
func errOlder(what, since string) error {
	return fmt.Errorf("%w: the kernel module nft_dict that is loaded is too old to %s, which takes version %s: unload it (modprobe -r nft_dict) and %s",
		dict.ErrNotSupported, what, since, Remedy)
}
