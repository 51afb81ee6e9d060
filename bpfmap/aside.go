// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"sync/atomic"

	"github.com/cilium/ebpf"
)

// aside is what a long look at a table needs, apart from the handle, so that
// nobody waits for it.
type aside struct {
	maps       tableMaps
	quiesce    *ebpf.Program
	generation uint64 // last one given
	refused    uint64
}

// aside opens the table once more. The caller closes it.
func (h *handle) aside() (*aside, error) {
	a := &aside{}
	err := h.work(func() (err error) {
		a.generation = atomic.LoadUint64(&h.state.Generation) & generationMask
		a.refused = atomic.LoadUint64(&h.state.Refused)
		if a.quiesce, err = h.quiesce.Clone(); err != nil {
			return err
		}
		from := h.maps.byName()
		return a.maps.each(func(name string, m **ebpf.Map) (err error) {
			*m, err = from[name].Clone()
			return err
		})
	})
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *aside) close() error { return errors.Join(a.maps.close(), a.quiesce.Close()) }

// eachRow calls f with key and value of every row, alive or not.
func eachRow(rows *ebpf.Map, f func(key, value []byte) error) error {
	for b := newBatch(rows, 1024); ; {
		n, err := b.next()
		if n == 0 || err != nil {
			return err
		}
		for i := range n {
			if err := f(b.key(i), b.value(i)); err != nil {
				return err
			}
		}
	}
}
