// SPDX-License-Identifier: MIT

package backend

import (
	"errors"
	"fmt"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/genl"
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
// makes the standard tables that are not there. Auto is Kmod if the module is
// there, whatever it says then, and EBPF if it is not. The caller closes the
// Store. The error wraps dict.ErrPermission, dict.ErrNotSupported, or
// dict.ErrInvalid for a kind it does not know.
func Open(kind string, o Options) (*Backend, error) {
	switch kind {
	case Auto:
		b, err := openKmod(o)
		if errors.Is(err, genl.ErrAbsent) {
			return openEBPF(o)
		}
		return b, err
	case Kmod:
		return openKmod(o)
	case EBPF:
		return openEBPF(o)
	}
	return nil, fmt.Errorf("backend %s: %w: want %s, %s or %s", dict.Quote(kind), dict.ErrInvalid, Auto, Kmod, EBPF)
}

func openKmod(o Options) (*Backend, error) {
	s, err := genl.Open()
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", Kmod, err)
	}
	return ready(&Backend{Kind: Kmod, Store: s, Compiler: s.Compiler()}, o)
}

func openEBPF(o Options) (*Backend, error) {
	s, err := bpfmap.Open(bpfmap.Options{Dir: o.Dir})
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w", EBPF, err)
	}
	return ready(&Backend{Kind: EBPF, Store: s, Compiler: s.Compiler()}, o)
}

// ready makes the standard tables, or closes the store.
func ready(b *Backend, o Options) (*Backend, error) {
	if err := addStandard(b.Store, o.Sessions); err != nil {
		return nil, errors.Join(fmt.Errorf("backend %s: %w", b.Kind, err), b.Store.Close())
	}
	return b, nil
}
