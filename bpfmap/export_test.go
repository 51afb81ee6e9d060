// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"

	"github.com/cilium/ebpf"

	"nftdict/nftext"
)

// Program loads the program of a bound term, so that tests may run it without
// a packet. The caller closes it.
func (s *Store) Program(b nftext.Bound) (*ebpf.Program, error) {
	p := planner{store: s}
	c := s.Compiler().(*compiler)
	var err error
	switch b := b.(type) {
	case *nftext.Condition:
		err = p.match(b)
	case *nftext.Write:
		err = p.write(b)
	case *nftext.Drop:
		err = p.drop(b)
	default:
		err = errors.New("no term")
	}
	if err != nil {
		return nil, err
	}
	return c.load(&p.plan)
}
