// SPDX-License-Identifier: MIT

package genl

import (
	"encoding/binary"
	"errors"
	"os"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

// wire carries requests, and answers, a datagram of one or more messages each.
type wire interface {
	// send sends a request. The module has answered when it returns.
	send(request []byte) error
	// receive returns the next datagram, which is the wire's until the next call. The
	// error wraps unix.EAGAIN where there is none and it is not to wait.
	receive(wait bool) ([]byte, error)
}

// short is how long a request is at most, in bytes, that keeps nobody waiting: some rows.
const short = 8 << 10

// direct is the wire of a real socket. The library would start a goroutine for each
// system call, and look at each answer twice.
type direct struct {
	raw syscall.RawConn
	buf []byte

	// What the calls need, kept for all of them.
	write, read func(fd uintptr) bool
	request     []byte
	wait        bool
	n           int
	err         error
}

// newDirect returns the wire of a socket, which stays the caller's.
func newDirect(nl *netlink.Conn) (*direct, error) {
	raw, err := nl.SyscallConn()
	if err != nil {
		return nil, err
	}
	d := &direct{raw: raw, buf: make([]byte, receiveBuffer)}
	d.write = func(fd uintptr) bool {
		if len(d.request) <= short {
			d.err = nowait.Write(int(fd), d.request)
			return true
		}
		for {
			if _, d.err = unix.Write(int(fd), d.request); !errors.Is(d.err, unix.EINTR) {
				return true
			}
		}
	}
	d.read = func(fd uintptr) bool {
		d.n, d.err = nowait.Receive(int(fd), d.buf, unix.MSG_TRUNC)
		return !d.wait || !errors.Is(d.err, unix.EAGAIN)
	}
	return d, nil
}

func (d *direct) send(request []byte) error {
	d.request, d.err = request, nil
	err := d.raw.Write(d.write)
	d.request = nil
	if err != nil {
		return err
	}
	return os.NewSyscallError("send", d.err)
}

func (d *direct) receive(wait bool) ([]byte, error) {
	d.wait = wait
	switch err := d.raw.Read(d.read); {
	case err != nil:
		return nil, err
	case d.err != nil:
		return nil, d.err
	case d.n > len(d.buf):
		return nil, errAnswer("longer than a table can be")
	}
	return d.buf[:d.n], nil
}

// headers is the length of those of a request: netlink's, and that of generic
// netlink.
const headers = unix.NLMSG_HDRLEN + genlHeader

const genlHeader = 4

// appendRequest appends a message of the family.
func appendRequest(b []byte, family, flags uint16, seq uint32, command uint8, attrs []byte) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(headers+len(attrs)))
	b = binary.NativeEndian.AppendUint16(b, family)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	return append(append(b, command, familyVersion, 0, 0), attrs...)
}

// message is one of the kernel's.
type message struct {
	typ, flags uint16
	seq        uint32
	body       []byte // behind the netlink header
}

// cut splits the first message from a datagram.
func cut(b []byte) (m message, rest []byte, err error) {
	if len(b) < unix.NLMSG_HDRLEN {
		return m, nil, errAnswer("message cut off")
	}
	n := int(binary.NativeEndian.Uint32(b))
	if n < unix.NLMSG_HDRLEN || n > len(b) {
		return m, nil, errAnswer("length of a message")
	}
	m = message{binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint16(b[6:]), binary.NativeEndian.Uint32(b[8:]), b[unix.NLMSG_HDRLEN:n]}
	return m, b[min(len(b), (n+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):], nil
}

// verdict reads an NLMSG_ERROR: errno, 0 for an acknowledgement, and words.
func (m *message) verdict() (errno unix.Errno, text string, err error) {
	const number = 4 // bytes of the errno; the request's header follows, and perhaps all of it
	if len(m.body) < number+unix.NLMSG_HDRLEN {
		return 0, "", errAnswer("refusal cut off")
	}
	errno = unix.Errno(-int32(binary.NativeEndian.Uint32(m.body)))
	if errno == 0 || m.flags&unix.NLM_F_ACK_TLVS == 0 {
		return errno, "", nil
	}
	request := unix.NLMSG_HDRLEN
	if m.flags&unix.NLM_F_CAPPED == 0 {
		request = (int(binary.NativeEndian.Uint32(m.body[number:])) + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	}
	if request < 0 || request > len(m.body)-number {
		return errno, "", nil // words alone are missing
	}
	err = each(m.body[number+request:], func(a attr) error {
		if a.typ == unix.NLMSGERR_ATTR_MSG {
			text = a.text()
		}
		return nil
	})
	return errno, text, err
}
