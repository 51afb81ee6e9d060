// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
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
	return c.loader.load(&p.plan)
}

// Folded returns how many instructions are left of a condition's program.
func (s *Store) Folded(b *nftext.Condition) (int, error) {
	p := planner{store: s}
	if err := p.match(b); err != nil {
		return 0, err
	}
	var l loader
	if err := l.open(); err != nil {
		return 0, err
	}
	left, err := l.fold(&p.plan, new(rulePacketLayout))
	return len(left), err
}

// FailAt has puts of this store fail at the n-th allocation for a row.
func (s *Store) FailAt(table string, n uint32) error {
	t, err := s.table("fail", table)
	if err != nil {
		return err
	}
	return t.work(func() error {
		t.area.FailAt = n
		return nil
	})
}

// Elements returns how many rows, narrow values and strings lie in a table's
// maps, whether they belong to a row or not.
func (s *Store) Elements(table string) (n [3]int, err error) {
	t, err := s.table("count", table)
	if err != nil {
		return n, err
	}
	err = t.work(func() error {
		for i, m := range []*ebpf.Map{t.maps.rows, t.maps.cells, t.maps.strings} {
			for b := newBatch(m, 256); ; {
				got, err := b.next()
				if err != nil {
					return err
				}
				if got == 0 {
					break
				}
				n[i] += got
			}
		}
		return nil
	})
	return n, err
}

// Orphan takes away the element of a row, so that its values belong to none.
func (s *Store) Orphan(table string, key dict.Key) error {
	t, err := s.table("orphan", table)
	if err != nil {
		return err
	}
	return t.work(func() error {
		var k rawKey
		k.encode(key, t.secret)
		return t.maps.rows.Delete(k[:sizeOfKey(t.schema.Key)])
	})
}

// DieDeleting does of the deletion of a table what a process has done that is
// killed where the table is gone but not cleaned up.
func (s *Store) DieDeleting(name string) error {
	release, err := s.lock(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer release()
	found, _, err := s.dir.readSchema()
	if err != nil {
		return err
	}
	t, err := pick("table delete", found, name)
	if err != nil {
		return err
	}
	return s.dir.unpublish(t.id)
}

// DieAdding does of the addition of a field what a process has done that is
// killed where the field is there.
func (s *Store) DieAdding(name string, f dict.Field) error {
	release, err := s.lock(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer release()
	found, _, err := s.dir.readSchema()
	if err != nil {
		return err
	}
	t, err := pick("field add", found, name)
	if err != nil {
		return err
	}
	return s.grow("field add", t, []dict.Field{f}, false)
}

// Memory returns how many bytes of the kernel a table's maps take.
func (s *Store) Memory(table string) (n uint64, err error) {
	t, err := s.table("memory", table)
	if err != nil {
		return 0, err
	}
	err = t.work(func() error {
		return t.maps.each(func(_ string, m **ebpf.Map) error {
			info, err := (*m).Info()
			if err != nil {
				return err
			}
			size, _ := info.Memlock()
			n += size
			return nil
		})
	})
	return n, err
}

// Loaded returns the ids of the programs that a compiler of ours holds.
func Loaded(c nftext.Compiler) (ids []ebpf.ProgramID, err error) {
	for _, l := range c.(*compiler).loaded {
		info, err := l.program.Info()
		if err != nil {
			return nil, err
		}
		if id, ok := info.ID(); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
