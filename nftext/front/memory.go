// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// memory is the address space of the nft process.
type memory int // process id

// area is a stretch of it.
type area struct {
	addr uintptr
	size int
}

const (
	maxAreas   = 1024    // IOV_MAX
	maxMessage = 1 << 30 // what one sendmsg may carry
	pageSize   = 4096    // a string is read up to such a boundary at a time
	maxPath    = 4096    // PATH_MAX
)

var errMemory = errors.New("nft's memory cannot be accessed")

// traced explains why a child process cannot be looked into.
func traced(err error) error {
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	return fmt.Errorf("%w: needs access to a child process (CAP_SYS_PTRACE, or kernel.yama.ptrace_scope at most 1): %w", dict.ErrNotSupported, err)
}

// read fills b from addr.
func (m memory) read(b []byte, addr uintptr) error {
	return m.readAll(b, []area{{addr, len(b)}})
}

// readAll fills b from areas in order, which hold as many bytes.
func (m memory) readAll(b []byte, areas []area) error {
	return m.move(b, areas, unix.ProcessVMReadv)
}

// writeAll puts b into areas in order, which hold at least as many bytes.
func (m memory) writeAll(b []byte, areas []area) error {
	return m.move(b, areas, unix.ProcessVMWritev)
}

// write puts b at addr.
func (m memory) write(b []byte, addr uintptr) error {
	return m.writeAll(b, []area{{addr, len(b)}})
}

func (m memory) move(b []byte, areas []area, call func(int, []unix.Iovec, []unix.RemoteIovec, uint) (int, error)) error {
	for len(b) > 0 {
		remote := make([]unix.RemoteIovec, 0, min(len(areas), maxAreas))
		size := 0
		for len(areas) > 0 && len(remote) < maxAreas && size < len(b) {
			n := min(areas[0].size, len(b)-size)
			remote = append(remote, unix.RemoteIovec{Base: areas[0].addr, Len: n})
			size += n
			areas = areas[1:]
		}
		if size == 0 {
			return errMemory
		}
		local := unix.Iovec{Base: &b[0]}
		local.SetLen(size)
		if n, err := call(int(m), []unix.Iovec{local}, remote, 0); err != nil {
			return fmt.Errorf("%w: %w", errMemory, traced(err))
		} else if n != size {
			return errMemory
		}
		b = b[size:]
	}
	return nil
}

// path returns the zero-terminated string at addr.
func (m memory) path(addr uintptr) (string, error) {
	var out []byte
	for len(out) < maxPath {
		piece := make([]byte, pageSize-int(addr)%pageSize)
		if err := m.read(piece, addr); err != nil {
			return "", err
		}
		if i := bytes.IndexByte(piece, 0); i >= 0 {
			return string(append(out, piece[:i]...)), nil
		}
		out = append(out, piece...)
		addr += uintptr(len(piece))
	}
	return "", unix.ENAMETOOLONG
}

// msghdr is struct msghdr of a 64-bit process, with the addresses as numbers: they
// are not this process's.
type msghdr struct {
	name       uintptr
	nameLen    uint32
	_          uint32
	iov        uintptr
	iovLen     uint64
	_          uintptr // control
	controlLen uint64
	flags      int32
	_          int32
}

// header returns the struct msghdr at addr and the areas it lists.
func (m memory) header(addr uintptr) (h msghdr, areas []area, err error) {
	if err = m.read(bytesOf(&h), addr); err != nil {
		return h, nil, err
	}
	if h.iovLen > maxAreas {
		return h, nil, unix.EMSGSIZE
	}
	total := 0
	for i := range uintptr(h.iovLen) {
		var v struct{ base, size uintptr }
		if err = m.read(bytesOf(&v), h.iov+i*unsafe.Sizeof(v)); err != nil {
			return h, nil, err
		}
		if v.size > maxMessage || total+int(v.size) > maxMessage {
			return h, nil, unix.EMSGSIZE
		}
		total += int(v.size)
		areas = append(areas, area{v.base, int(v.size)})
	}
	return h, areas, nil
}

// bytesOf returns the memory of a struct without pointers.
func bytesOf[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}

func sizeOf(areas []area) int {
	n := 0
	for _, a := range areas {
		n += a.size
	}
	return n
}
