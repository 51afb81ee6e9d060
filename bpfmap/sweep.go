// SPDX-License-Identifier: MIT

package bpfmap

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Sweep removes rows that expired and values that belong to no row any more,
// from the named tables, all if none. It may run while others write. Tables
// work without it; it gives back memory and room. A good time is every minute.
func (s *Store) Sweep(tables ...string) error {
	if len(tables) == 0 {
		v, err := s.current()
		if err != nil {
			return &dict.At{Op: "sweep", Err: err}
		}
		for name := range v.tables {
			tables = append(tables, name)
		}
	}
	var errs []error
	for _, name := range tables {
		t, err := s.table("sweep", name)
		if err == nil {
			if err = t.sweep(); err != nil {
				err = &dict.At{Op: "sweep", Table: t.schema.Name, Err: err}
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// makeRoom removes the rows that expired from a full table and returns how
// many; at most once a tick, so that a full table costs no more than that.
func (h *handle) makeRoom() (int, error) {
	now := tick() + 1 // 0 is no sweep yet
	last := atomic.LoadUint64(&h.state.Swept)
	if last == now || !atomic.CompareAndSwapUint64(&h.state.Swept, last, now) {
		return 0, nil
	}
	return h.sweepRows()
}

// sweepRows removes the rows that expired and returns how many. The caller
// holds mu.
func (h *handle) sweepRows() (int, error) {
	removed := 0
	for b := newBatch(h.maps.rows, areaRows); ; {
		n, err := h.sweepSome(b)
		if n < 0 || err != nil {
			return removed, err
		}
		removed += n
	}
}

// sweepSome removes those of the next rows that expired and returns how many,
// -1 at the end. The caller holds mu.
func (h *handle) sweepSome(b *batch) (int, error) {
	got, err := b.next()
	if got == 0 || err != nil {
		return -1, err
	}
	now, n, removed := tick(), 0, 0
	for i := range got {
		word := binary.NativeEndian.Uint64(b.value(i))
		if word == 0 || isAlive(word, now) || n == areaRows {
			continue
		}
		q := &h.area.Row[n]
		clear(q.Key[copy(q.Key[:], b.key(i)):])
		q.Lock = (*rawKey)(&q.Key).lock()
		q.Verb, q.Row.Row.Word = verbSweep, word
		n++
	}
	if n > 0 {
		err = h.do(n)
	}
	for i := range n {
		if h.area.Row[i].Error == 0 {
			removed++
		}
	}
	return removed, err
}

// sweep removes expired rows, then the values whose generation no row has. A
// row that is being built has a generation that no row has yet: so only
// generations are looked at that were given before all writers of that moment
// came to an end.
func (h *handle) sweep() error {
	a, err := h.aside()
	if err != nil {
		return err
	}
	defer a.close()
	b := newBatch(a.maps.rows, areaRows)
	for more := true; more; {
		err := h.work(func() error {
			n, err := h.sweepSome(b)
			more = n >= 0
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := a.outwait(); err != nil {
		return err
	}
	live := map[uint64]struct{}{}
	err = eachRow(a.maps.rows, func(_, value []byte) error {
		live[binary.NativeEndian.Uint64(value)>>generationShift] = struct{}{}
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range []*ebpf.Map{a.maps.cells, a.maps.strings} {
		if err := sweepValues(m, a.generation, live); err != nil {
			return err
		}
	}
	return nil
}

func sweepValues(m *ebpf.Map, given uint64, live map[uint64]struct{}) error {
	for b := newBatch(m, 1024); ; {
		n, err := b.next()
		if n == 0 || err != nil {
			return err
		}
		for i := range n {
			tag := binary.NativeEndian.Uint64(b.key(i))
			generation := tag >> generationShift
			if _, ok := live[generation]; ok || generation > given {
				continue
			}
			if err := m.Delete(tag); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
				return explain("sweep", err)
			}
		}
	}
}

// membarrierGlobal is MEMBARRIER_CMD_GLOBAL: returns after an RCU grace
// period.
const membarrierGlobal = 1

// outwait returns when every writer has ended that was at work when it was
// called: those of user space let go of their lock, those in rules leave
// the processor.
func (a *aside) outwait() error {
	for {
		busy, err := runProgram(a.quiesce)
		if err != nil {
			return explain("run writer", err)
		}
		if busy == 0 {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0)
	if errno != 0 {
		// Absent on kernels with nohz_full: no packet takes so long.
		time.Sleep(time.Second)
	}
	return nil
}
