// SPDX-License-Identifier: MIT

// Package backend opens the dictionaries of a network namespace, whatever
// keeps them: the kernel module nft_dict (kmod) or pinned eBPF maps (ebpf). It
// is the one package that knows which backends there are, and it sees to it
// that the standard tables exist.
//
// It refuses to fall back in silence: a backend asked for by name that is not
// to be had is an error that says what is needed.
package backend
