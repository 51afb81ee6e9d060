// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/nftext"
)

// compiler makes programs of terms. Terms that are alike share one while
// somebody holds it.
type compiler struct {
	store *Store

	mu     sync.Mutex
	loader loader
	loaded map[string]*loaded
	uses   uses
	bringing
}

// loaded is a program and how many hold it.
type loaded struct {
	program *ebpf.Program
	holders int
}

var _ nftext.Compiler = (*compiler)(nil)

// Compiler returns the compiler of rules that consult this store's tables. A
// condition is one match by a program. What only nft can read, such as ct id,
// it carries there in the packet's secmark, which the two expressions before
// the match set: a packet that has none ends the rule, as with every
// expression of nft, also where the term is a statement.
//
// Refused as dict.ErrNotSupported: families other than ip, ip6, inet and
// bridge; a key and a value that both have to be carried; values for nft to work
// with.
func (s *Store) Compiler() nftext.Compiler {
	return &compiler{store: s, loaded: map[string]*loaded{}, uses: uses{}}
}

// Compile implements nftext.Compiler. In an open table a rule's field comes to
// be with it, when the code is released, if the kernel has taken the rule.
func (c *compiler) Compile(t nftext.Target, b nftext.Bound) (*nftext.Code, error) {
	switch t.Family {
	case unix.NFPROTO_INET, unix.NFPROTO_IPV4, unix.NFPROTO_IPV6, unix.NFPROTO_BRIDGE:
	default:
		return nil, fmt.Errorf("%s: %w by the ebpf backend in family %s: the kernel runs its matches in ip, ip6, inet and bridge, or use the module", b.Term(), dict.ErrNotSupported, nftext.FamilyWord(t.Family))
	}
	p := planner{store: c.store, check: t.Check}
	var err error
	switch b := b.(type) {
	case *nftext.Condition:
		err = p.match(b)
	case *nftext.Write:
		err = p.write(b)
	case *nftext.Drop:
		err = p.drop(b)
	case *nftext.Load:
		err = fmt.Errorf("%s: value for nft to work with: %w by the ebpf backend, whose matches fill no register: compare in the term, with a rule for each value, or use the module", b.Term(), dict.ErrNotSupported)
	default:
		err = fmt.Errorf("%s: %w by the ebpf backend", b.Term(), dict.ErrNotSupported)
	}
	if err != nil {
		return nil, err
	}
	l := label{text: b.Term().String(), carried: p.carried != 0}
	for _, t := range p.tables {
		if t != nil && !slices.Contains(l.tables, t.id) {
			l.tables = append(l.tables, t.id)
		}
	}
	program, release, err := c.hold(l, &p)
	if err != nil {
		return nil, err
	}
	exprs, err := p.expressions(t.Family, l, program)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return &nftext.Code{Exprs: exprs, Release: release}, nil
}

// hold returns the program of a plan, loaded now or before. Its tables cannot
// be deleted until it is released.
func (c *compiler) hold(l label, p *planner) (*ebpf.Program, func() error, error) {
	// The text means the same as long as the tables do, which only grow.
	key := fmt.Sprint(l.tables, l.text, p.check)
	c.mu.Lock()
	defer c.mu.Unlock()
	free, err := c.uses.hold(c.store, l.tables)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", l.text, err)
	}
	h := c.loaded[key]
	if h == nil {
		program, err := c.loader.load(&p.plan)
		if err != nil {
			free()
			return nil, nil, fmt.Errorf("%s: %w", l.text, err)
		}
		h = &loaded{program: program}
		c.loaded[key] = h
	}
	h.holders++
	c.bringing.begin(p.brought)
	release := sync.OnceValue(func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		free()
		err := c.bringing.end(c.store, p.brought)
		if h.holders--; h.holders > 0 {
			return err
		}
		delete(c.loaded, key)
		return errors.Join(err, h.program.Close())
	})
	return h.program, release, nil
}
