// SPDX-License-Identifier: MIT

package bpfmap

import (
	"errors"
	"runtime"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Two commands of bpf(2) that we call by ourselves: running a program, because
// the library's way allocates and costs as much again as the call, and reading
// a batch, because there it wants the sizes of keys and values at compile time.

// runAttr is the attribute of BPF_PROG_TEST_RUN.
type runAttr struct {
	fd, retval          uint32
	dataIn, dataOut     uint32
	data, dataTo        uint64
	repeat, duration    uint32
	contextIn, ctxOut   uint32
	context, contextOut uint64
	flags, cpu, batch   uint32
	_                   uint32
}

// batchAttr is the attribute of BPF_MAP_LOOKUP_BATCH.
type batchAttr struct {
	in, out      unsafe.Pointer
	keys, values unsafe.Pointer
	count, fd    uint32
	flags, elem  uint64
}

// The attributes hold pointers where the kernel wants 64 bits.
const _ = uint(unsafe.Sizeof(uintptr(0)) - 8)

// runProgram runs a program of type syscall without context and returns what
// it returned.
func runProgram(p *ebpf.Program) (uint32, error) {
	attr := runAttr{fd: uint32(p.FD())}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_TEST_RUN, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(p)
	if errno != 0 {
		return 0, errno
	}
	return attr.retval, nil
}

// batch reads a hash map some elements at a time. One that stays is read
// exactly once.
type batch struct {
	m            *ebpf.Map
	keys, values []byte
	cursor       uint32
	begun, ended bool
}

// newBatch returns a reader of up to n elements at a time.
func newBatch(m *ebpf.Map, n int) *batch {
	return &batch{m: m, keys: make([]byte, n*int(m.KeySize())), values: make([]byte, n*int(m.ValueSize()))}
}

// next reads the next elements and returns how many they are; 0 is the end.
func (b *batch) next() (int, error) {
	for !b.ended {
		attr := batchAttr{
			keys: unsafe.Pointer(unsafe.SliceData(b.keys)), values: unsafe.Pointer(unsafe.SliceData(b.values)),
			count: uint32(len(b.keys)) / b.m.KeySize(), fd: uint32(b.m.FD()),
		}
		var out uint32
		attr.out = unsafe.Pointer(&out)
		if b.begun {
			attr.in = unsafe.Pointer(&b.cursor)
		}
		_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_LOOKUP_BATCH, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
		runtime.KeepAlive(b)
		switch {
		case errno == unix.ENOENT:
			b.ended = true
		case errno == unix.ENOSPC: // a bucket holds more than we have room for
			b.keys = make([]byte, 2*len(b.keys))
			b.values = make([]byte, 2*len(b.values))
			continue
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return 0, explain("list map", errno)
		}
		b.cursor, b.begun = out, true
		if attr.count > 0 {
			return int(attr.count), nil
		}
	}
	return 0, nil
}

// key and value return element i of those last read, valid until next.
func (b *batch) key(i int) []byte {
	n := int(b.m.KeySize())
	return b.keys[i*n : (i+1)*n]
}

func (b *batch) value(i int) []byte {
	n := int(b.m.ValueSize())
	return b.values[i*n : (i+1)*n]
}

// isAgain reports whether trying again may help.
func isAgain(err error) bool {
	return errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EDEADLK)
}
