// SPDX-License-Identifier: MIT

package bpfmap

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// layoutVersion grows when the layout of the pinned maps changes.
const layoutVersion = 1

// namespace is the pinned directory of one network namespace:
//
//	state    one namespaceState, mapped
//	schema   records of tables and fields
//	ID/      rows, cells, strings and state of one table
type namespace struct {
	dir    string
	state  *namespaceState
	schema *ebpf.Map
}

// namespaceState is what all processes share of a namespace.
type namespaceState struct {
	version uint64
	epoch   atomic.Uint64 // grows with every change of the schema; removed when the namespace is gone
	tables  atomic.Uint64 // last table id given
	secret  secret
	inode   uint64 // of the namespace in nsfs, 0 if not known
}

// removed is the epoch of a namespace whose maps were removed.
const removed = ^uint64(0)

// openNamespace opens or makes the directory of a namespace.
func openNamespace(base string, ns *netns) (*namespace, error) {
	n := &namespace{dir: namespaceDir(base, ns.cookie)}
	if err := os.Mkdir(n.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, explain("open tables", err)
	}
	release, err := n.lock(unix.LOCK_EX)
	if errors.Is(err, fs.ErrNotExist) { // removed this very moment
		return openNamespace(base, ns)
	}
	if err != nil {
		return nil, err
	}
	defer release()
	state, err := pinned(n.path("state"), func() (*ebpf.Map, error) { return newState(ns) })
	if err != nil {
		return nil, explain("open tables", err)
	}
	defer state.Close()
	schema, err := pinned(n.path("schema"), func() (*ebpf.Map, error) {
		return ebpf.NewMap(&ebpf.MapSpec{
			Name: "nftdict_schema", Type: ebpf.Hash, KeySize: 8, ValueSize: recordSize,
			MaxEntries: maxRecords, Flags: unix.BPF_F_NO_PREALLOC,
		})
	})
	if err != nil {
		return nil, explain("open tables", err)
	}
	defer schema.Close()
	return attach(base, ns.cookie)
}

// newState returns the state of a namespace that has no tables yet.
func newState(ns *netns) (*ebpf.Map, error) {
	m, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "nftdict_state", Type: ebpf.Array, KeySize: 4, ValueSize: uint32(unsafe.Sizeof(namespaceState{})),
		MaxEntries: 1, Flags: unix.BPF_F_MMAPABLE,
	})
	if err != nil {
		return nil, err
	}
	first := make([]byte, unsafe.Sizeof(namespaceState{}))
	binary.NativeEndian.PutUint64(first, layoutVersion)
	binary.NativeEndian.PutUint64(first[unsafe.Offsetof(namespaceState{}.inode):], ns.inode)
	// crypto/rand never fails.
	rand.Read(first[unsafe.Offsetof(namespaceState{}.secret):][:unsafe.Sizeof(secret{})])
	return m, m.Put(uint32(0), first)
}

// attach opens the maps of a namespace that has them.
func attach(base string, cookie uint64) (*namespace, error) {
	n := &namespace{dir: namespaceDir(base, cookie)}
	state, err := ebpf.LoadPinnedMap(n.path("state"), nil)
	if err != nil {
		return nil, explain("open tables", err)
	}
	defer state.Close()
	mem, err := mapMemory(state, int(unsafe.Sizeof(namespaceState{})))
	if err != nil {
		return nil, explain("open tables", err)
	}
	n.state = (*namespaceState)(unsafe.Pointer(&mem[0]))
	if n.state.version != layoutVersion {
		err := fmt.Errorf("open tables %s: %w: layout version %d, want %d: remove them with the program that made them", n.dir, dict.ErrNotSupported, n.state.version, layoutVersion)
		return nil, errors.Join(err, unix.Munmap(mem))
	}
	if n.schema, err = ebpf.LoadPinnedMap(n.path("schema"), nil); err != nil {
		return nil, errors.Join(explain("open tables", err), unix.Munmap(mem))
	}
	// Readers look at the epoch without a lock: the page goes when nobody can.
	runtime.AddCleanup(n, func(mem []byte) { unix.Munmap(mem) }, mem)
	return n, nil
}

func namespaceDir(base string, cookie uint64) string {
	return filepath.Join(base, strconv.FormatUint(cookie, 10))
}

func (n *namespace) path(name ...string) string {
	return filepath.Join(append([]string{n.dir}, name...)...)
}

func (n *namespace) close() error { return n.schema.Close() }

// lock takes the lock of the directory, shared or exclusive. It dies with the
// process. fs.ErrNotExist if the directory is gone.
func (n *namespace) lock(how int) (release func(), err error) { return lockDir(n.dir, how) }

// lockDir takes the lock of a directory: how is that of flock(2).
func lockDir(path string, how int) (release func(), err error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, explain("lock tables", err)
	}
	for {
		if err = unix.Flock(int(dir.Fd()), how); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err == nil {
		err = same(dir)
	}
	if err != nil {
		dir.Close()
		return nil, explain("lock tables", err)
	}
	return func() { dir.Close() }, nil
}

// same makes sure that an open directory is still the one at its path.
func same(dir *os.File) error {
	now, err := os.Stat(dir.Name())
	if err != nil {
		return err
	}
	then, err := dir.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(now, then) {
		return fs.ErrNotExist
	}
	return nil
}

// remove unpins everything. Whoever has the namespace open learns it from the
// epoch.
func (n *namespace) remove() error {
	release, err := n.lock(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer release()
	n.state.epoch.Store(removed)
	return explain("remove tables", os.RemoveAll(n.dir))
}

// pinned opens a pinned map, or makes and pins it. The map has its first
// content before it can be seen.
func pinned(path string, create func() (*ebpf.Map, error)) (*ebpf.Map, error) {
	m, err := ebpf.LoadPinnedMap(path, nil)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	m, err = create()
	if err == nil {
		err = m.Pin(path)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// mapMemory maps the value of an array of one element into the process.
func mapMemory(m *ebpf.Map, size int) ([]byte, error) {
	page := os.Getpagesize()
	return unix.Mmap(m.FD(), 0, (size+page-1)/page*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}
