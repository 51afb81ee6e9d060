// SPDX-License-Identifier: MIT

package backend

import (
	"fmt"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/nftext"
)

// The kinds of backends. Auto is the best one that works here.
const (
	Auto = "auto"
	Kmod = "kmod"
	EBPF = "ebpf"
)

// Backend is a store and the compiler of rules that consult it.
type Backend struct {
	Kind     string // Kmod or EBPF
	Store    dict.Store
	Compiler nftext.Compiler
}

// Options of Open. The zero value is what programs use.
type Options struct {
	// Dir is the bpffs directory of EBPF; "" is its default.
	Dir string
	// Sessions is the limit of rows of the table sessions, should Open make it;
	// 0 is nf_conntrack_max.
	Sessions int
}

// Open opens the dictionaries of the calling thread's network namespace and
// makes the standard tables that are not there. The caller closes the Store.
// The error wraps dict.ErrPermission, dict.ErrNotSupported, or dict.ErrInvalid
// for a kind it does not know.
func Open(kind string, o Options) (*Backend, error) {
	switch kind {
	case Kmod:
		return nil, fmt.Errorf("backend %s: %w: needs the kernel module nft_dict, which is not part of this version; use %s", Kmod, dict.ErrNotSupported, EBPF)
	case Auto, EBPF:
	default:
		return nil, fmt.Errorf("backend %s: %w: want %s, %s or %s", dict.Quote(kind), dict.ErrInvalid, Auto, Kmod, EBPF)
	}
	s, err := bpfmap.Open(bpfmap.Options{Dir: o.Dir})
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", EBPF, err)
	}
	if err := addStandard(s, o.Sessions); err != nil {
		s.Close()
		return nil, fmt.Errorf("backend %s: %w", EBPF, err)
	}
	return &Backend{Kind: EBPF, Store: s, Compiler: s.Compiler()}, nil
}
