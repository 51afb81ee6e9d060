// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Requests that fit the area of one run of the writer.
const (
	areaRows  = len(writerArea{}.Row)
	areaCells = len(writerArea{}.Cell)
)

// What the writer does with a row; the order is that of enum verb in
// bpf/area.h.
const (
	verbPut = iota
	verbRenew
	verbGet
	verbDelete
	verbUnset
	verbSweep
	verbAdd
)

// handle is the maps of one table and the program that writes them. It stays
// the same while the schema grows. Everything happens under mu.
type handle struct {
	id     uint32
	dir    string
	secret secret

	mu      sync.Mutex
	opened  bool
	closed  bool
	maps    tableMaps
	run     *ebpf.Program
	quiesce *ebpf.Program
	area    *writerArea
	state   *writerTableState
	memory  [][]byte
}

// tableMaps are the pinned maps of a table.
type tableMaps struct {
	rows, cells, strings, state *ebpf.Map
}

// each calls f for every map with the name of its pin.
func (m *tableMaps) each(f func(name string, m **ebpf.Map) error) error {
	return errors.Join(f("rows", &m.rows), f("cells", &m.cells), f("strings", &m.strings), f("state", &m.state))
}

func (m *tableMaps) close() error {
	return m.each(func(_ string, m **ebpf.Map) error { return (*m).Close() })
}

// createMaps makes the maps of a table and pins them in dir, which it makes.
func createMaps(dir string, t dict.Table) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	rowSize := uint32(unsafe.Sizeof(writerRow{}))
	if t.Key == dict.KeyString {
		rowSize = uint32(unsafe.Sizeof(writerNamedRow{}))
	}
	narrow, wide := cellLimits(t)
	hash := func(key, value, entries uint32) *ebpf.MapSpec {
		return &ebpf.MapSpec{Name: "nftdict", Type: ebpf.Hash, KeySize: key, ValueSize: value, MaxEntries: entries, Flags: unix.BPF_F_NO_PREALLOC}
	}
	specs := map[string]*ebpf.MapSpec{
		"rows":    hash(uint32(sizeOfKey(t.Key)), rowSize, uint32(t.Limit)),
		"cells":   hash(8, 24, narrow),
		"strings": hash(8, uint32(unsafe.Sizeof(writerText{})), wide),
		"state": {
			Name: "nftdict", Type: ebpf.Array, KeySize: 4, ValueSize: uint32(unsafe.Sizeof(writerTableState{})),
			MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE,
		},
	}
	var maps tableMaps
	defer func() { err = errors.Join(err, maps.close()) }()
	return maps.each(func(name string, m **ebpf.Map) error {
		made, err := ebpf.NewMap(specs[name])
		if err != nil {
			return fmt.Errorf("map %s of %d places: %w", name, specs[name].MaxEntries, err)
		}
		*m = made
		return made.Pin(dir + "/" + name)
	})
}

// mostPlaces is how many places the kernel allows a hash table.
const mostPlaces = 1 << 27

// cellLimits returns how many narrow values and strings a table may hold: for
// every row all its fields, but at most 16 and 8 in a large table. A table with
// few fields has room for two of either kind, for those added later; of an open
// table nobody knows, it has room for 8 and 4.
func cellLimits(t dict.Table) (narrow, wide uint32) {
	n, w := 8, 4
	if !t.Open {
		n, w = 2, 2
		for _, f := range t.Fields {
			if f.Type == dict.String {
				w++
			} else {
				n++
			}
		}
	}
	places := func(fields, most int) uint32 {
		const small, large = 1 << 10, 1 << 14
		all := min(max(t.Limit*fields, small), large)
		return uint32(min(max(t.Limit*min(fields, most), all), mostPlaces))
	}
	return places(n, 16), places(w, 8)
}

// open opens maps and program, once. The caller holds mu.
func (h *handle) open() error {
	if err := h.openMaps(); err != nil || h.run != nil {
		return err
	}
	return h.load()
}

// openMaps opens the maps, once. The caller holds mu.
func (h *handle) openMaps() error {
	if h.closed {
		return dict.ErrNotExist
	}
	if h.opened {
		return nil
	}
	err := h.maps.each(func(name string, m **ebpf.Map) (err error) {
		*m, err = ebpf.LoadPinnedMap(h.dir+"/"+name, nil)
		return err
	})
	if err != nil {
		if errors.Is(err, os.ErrNotExist) { // deleted since the schema was read
			err = dict.ErrNotExist
		}
		return errors.Join(explain("open maps", err), h.release())
	}
	h.opened = true
	return nil
}

// load loads the writer for the table's maps and maps what it shares with us.
// Without success nothing is open.
func (h *handle) load() (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(explain("open maps", err), h.release())
		}
	}()
	spec, err := loadWriter()
	if err != nil {
		return err
	}
	h.maps.fit(spec)
	var objects struct {
		Run      *ebpf.Program `ebpf:"run"`
		Quiesce  *ebpf.Program `ebpf:"quiesce"`
		Requests *ebpf.Map     `ebpf:"requests"`
	}
	if err := spec.LoadAndAssign(&objects, &ebpf.CollectionOptions{MapReplacements: h.maps.byName()}); err != nil {
		return fmt.Errorf("load writer: %w", err)
	}
	h.run, h.quiesce = objects.Run, objects.Quiesce
	area, err := h.mapped(objects.Requests, int(unsafe.Sizeof(writerArea{})))
	if err := errors.Join(err, objects.Requests.Close()); err != nil {
		return err
	}
	state, err := h.mapped(h.maps.state, int(unsafe.Sizeof(writerTableState{})))
	if err != nil {
		return err
	}
	h.area = (*writerArea)(unsafe.Pointer(&area[0]))
	h.state = (*writerTableState)(unsafe.Pointer(&state[0]))
	return nil
}

func (h *handle) mapped(m *ebpf.Map, size int) ([]byte, error) {
	mem, err := mapMemory(m, size)
	if err == nil {
		h.memory = append(h.memory, mem)
	}
	return mem, err
}

// fit gives the specs of an object's maps the sizes of this table's.
func (m *tableMaps) fit(spec *ebpf.CollectionSpec) {
	for name, m := range m.byName() {
		s := spec.Maps[name]
		s.KeySize, s.ValueSize, s.MaxEntries = m.KeySize(), m.ValueSize(), m.MaxEntries()
	}
}

func (m *tableMaps) byName() map[string]*ebpf.Map {
	return map[string]*ebpf.Map{"rows": m.rows, "cells": m.cells, "strings": m.strings, "state": m.state}
}

// release closes what is open. The caller holds mu.
func (h *handle) release() error {
	errs := []error{h.maps.close(), h.run.Close(), h.quiesce.Close()}
	for _, mem := range h.memory {
		errs = append(errs, unix.Munmap(mem))
	}
	h.maps, h.run, h.quiesce, h.area, h.state, h.memory, h.opened = tableMaps{}, nil, nil, nil, nil, nil, false
	return errors.Join(errs...)
}

// close ends the handle; what is asked of it later does not exist.
func (h *handle) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return h.release()
}

// work runs f with the handle open and nobody else at it.
func (h *handle) work(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.open(); err != nil {
		return err
	}
	return f()
}

// consult runs f with the maps open and nobody else at them. The writer, which
// the kernel takes its time to load, is not needed for that.
func (h *handle) consult(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.openMaps(); err != nil {
		return err
	}
	return f()
}

// do has the writer do the first n requests of the area.
func (h *handle) do(n int) error {
	h.area.Rows = uint32(n)
	_, err := runProgram(h.run)
	return explain("run writer", err)
}

// again does request i alone, in place 0, until it is not refused for being
// too early: the lock's holder, or who removes the row, may wait for this
// processor.
func (h *handle) again(i int) (*writerRowReq, error) {
	q := &h.area.Row[0]
	if i != 0 {
		*q = h.area.Row[i]
	}
	// A holder that was put aside on a busy machine takes its time.
	const yields, tries = 10, 10000
	for try := range tries {
		if q.Error == 0 || !isAgain(unix.Errno(-q.Error)) {
			return q, nil
		}
		if try < yields {
			runtime.Gosched()
		} else {
			time.Sleep(min(time.Duration(try)*10*time.Microsecond, time.Millisecond))
		}
		if err := h.do(1); err != nil {
			return q, err
		}
	}
	return q, nil
}

// refuse counts a row that found no place.
func (h *handle) refuse() { atomic.AddUint64(&h.state.Refused, 1) }

// pinDir returns the directory of a table's maps.
func (n *namespace) pinDir(id uint32) string { return n.path(strconv.FormatUint(uint64(id), 10)) }
