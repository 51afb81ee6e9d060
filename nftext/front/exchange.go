// SPDX-License-Identifier: MIT

package front

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// transfer is one send or receive of nft's.
type transfer struct {
	areas   []area
	flags   int
	header  uintptr // of its struct msghdr, or 0
	msg     msghdr
	address uintptr // where recvfrom wants the sender, or 0
	size    uintptr // and its length
}

// transfer reads what nft asked for.
func (s *supervisor) transfer(n notification) (t transfer, err error) {
	switch n.nr {
	case unix.SYS_SENDMSG, unix.SYS_RECVMSG:
		t.header, t.flags = uintptr(n.args[1]), int(int32(n.args[2]))
		t.msg, t.areas, err = memory(s.pid).header(t.header)
	default:
		if n.args[2] > maxMessage {
			return t, unix.EMSGSIZE
		}
		t.areas = []area{{uintptr(n.args[1]), int(n.args[2])}}
		t.flags = int(int32(n.args[3]))
		t.address, t.size = uintptr(n.args[4]), uintptr(n.args[5])
	}
	return t, err
}

// send carries out a send with compiled terms in place of placeholders.
func (s *supervisor) send(n notification, k *socket) error {
	t, err := s.transfer(n)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	b := make([]byte, sizeOf(t.areas))
	if err := memory(s.pid).readAll(b, t.areas); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	k.moved = nil
	if !bytes.Contains(b, s.terms.mark) {
		return s.listener.proceed(n.id)
	}
	codes := newCodes(s.codec)
	codes.check = !commits(b)
	out, moved, err := s.terms.compileBatch(b, codes.compile)
	if err == nil && !s.listener.waits(n.id) {
		err = errGone
	}
	if err == nil {
		k.moved = moved
		err = k.send(out, len(out)-len(b))
	}
	s.late = errors.Join(s.late, codes.close())
	var errno unix.Errno
	switch {
	case err == nil:
		return s.listener.answer(n.id, len(b))
	case errors.As(err, &errno):
		return s.listener.fail(n.id, errno)
	}
	return err
}

// receive carries out a receive with placeholders in place of compiled terms.
func (s *supervisor) receive(n notification, k *socket) error {
	t, err := s.transfer(n)
	if err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	from := unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	reply := k.pending
	if reply == nil {
		var b []byte
		if b, from, err = s.next(k, t.flags); err != nil {
			var errno unix.Errno
			if errors.As(err, &errno) && err != errStopped {
				return s.listener.fail(n.id, errno)
			}
			return err
		}
		if reply, _, err = s.terms.decompileReply(b, s.codec, k.moved); err != nil {
			return fmt.Errorf("reply: %w", err)
		}
		if len(b) == 0 || &reply[0] == &b[0] {
			return s.listener.proceed(n.id)
		}
		if t.flags&unix.MSG_PEEK == 0 {
			if err := k.take(); err != nil {
				return fmt.Errorf("reply: %w", err)
			}
		}
	}
	head, tail := split(reply, sizeOf(t.areas))
	if len(head) == 0 {
		return fmt.Errorf("reply: a message of %d bytes does not fit nft's buffer of %d", len(reply), sizeOf(t.areas))
	}
	if t.flags&unix.MSG_PEEK == 0 {
		k.pending = tail
	}
	if err := s.deliver(t, head, from); err != nil {
		return fmt.Errorf("reply: %w", err)
	}
	return s.listener.answer(n.id, len(head))
}

// next returns the next datagram, waiting for it as the socket and flags say.
func (s *supervisor) next(k *socket, flags int) ([]byte, unix.SockaddrNetlink, error) {
	for {
		b, from, err := k.peek()
		if err != unix.EAGAIN || flags&unix.MSG_DONTWAIT != 0 || !k.blocking() {
			return b, from, err
		}
		if err := wait(k.fd, s.stop); err != nil {
			return nil, from, err
		}
	}
}

// deliver writes a reply where nft wants it.
func (s *supervisor) deliver(t transfer, b []byte, from unix.SockaddrNetlink) error {
	mem := memory(s.pid)
	if err := mem.writeAll(b, t.areas); err != nil {
		return err
	}
	address := rawAddress(from)
	if t.header != 0 {
		if t.msg.name != 0 {
			if err := mem.write(address[:min(len(address), int(t.msg.nameLen))], t.msg.name); err != nil {
				return err
			}
			t.msg.nameLen = uint32(len(address))
		}
		t.msg.controlLen, t.msg.flags = 0, 0
		return mem.write(bytesOf(&t.msg), t.header)
	}
	if t.address == 0 || t.size == 0 {
		return nil
	}
	var size [4]byte
	if err := mem.read(size[:], t.size); err != nil {
		return err
	}
	room := binary.NativeEndian.Uint32(size[:])
	if err := mem.write(address[:min(len(address), int(room))], t.address); err != nil {
		return err
	}
	binary.NativeEndian.PutUint32(size[:], uint32(len(address)))
	return mem.write(size[:], t.size)
}
