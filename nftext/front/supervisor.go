// SPDX-License-Identifier: MIT

package front

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// supervisor answers the system calls of one nft process. It lets those that have
// nothing to do with dict terms proceed as they were made.
type supervisor struct {
	codec    Codec
	terms    *terms
	texts    *texts
	talk     *talk // nft -i, or nil
	listener listener
	thread   int // the sandbox's, whose own calls proceed
	stop     int // readable when nft has ended

	pid     int // of nft, from its first call on
	pidfd   int
	sockets map[int]*socket
	err     error // why nft was killed
	late    error // what went wrong when nft had its answer
}

// errStopped ends a wait when nft has ended.
var errStopped = fmt.Errorf("nft has ended: %w", unix.ECANCELED)

// serve answers calls until stop is readable.
func (s *supervisor) serve() {
	s.pidfd = -1
	s.sockets = map[int]*socket{}
	defer s.release()
	for s.listener.pending(s.stop) == nil {
		n, err := s.listener.receive()
		if err == errGone {
			continue
		}
		if err == nil {
			err = s.handle(n)
		}
		switch err {
		case nil, errGone, errStopped:
		default:
			s.abort(n.id, err)
		}
	}
}

func (s *supervisor) release() {
	for _, k := range s.sockets {
		k.close()
	}
	if s.pidfd >= 0 {
		unix.Close(s.pidfd)
	}
}

// abort kills nft, whose pending call is never carried out, and keeps the first
// reason. Should it not die, all its calls fail.
func (s *supervisor) abort(id uint64, err error) {
	if s.err == nil {
		s.err = err
	}
	if s.pidfd >= 0 {
		_ = unix.PidfdSendSignal(s.pidfd, unix.SIGKILL, nil, 0)
	}
	_ = s.listener.fail(id, unix.EPERM)
}

// handle answers one call, or returns why it cannot be answered.
func (s *supervisor) handle(n notification) error {
	if int(n.pid) == s.thread {
		return s.listener.proceed(n.id)
	}
	if s.pidfd < 0 {
		fd, err := unix.PidfdOpen(int(n.pid), 0)
		if err != nil {
			return fmt.Errorf("process %d of nft: %w", n.pid, err)
		}
		s.pid, s.pidfd = int(n.pid), fd
	}
	if s.err != nil {
		return s.err
	}
	if int(n.pid) != s.pid {
		return fmt.Errorf("nft has a second thread or process, %d", n.pid)
	}
	for _, c := range openCalls() {
		if uint32(n.nr) == c.nr {
			dir, path := unix.AT_FDCWD, uintptr(n.args[0])
			if c.flags == 2 {
				dir, path = int(int32(n.args[0])), uintptr(n.args[1])
			}
			return s.open(n.id, dir, path, int(n.args[c.flags]))
		}
	}
	if n.nr == unix.SYS_READ {
		return s.read(n)
	}
	sock, err := s.socket(int(n.args[0]))
	if err != nil {
		return err
	}
	if sock.fd < 0 {
		return s.listener.proceed(n.id)
	}
	switch n.nr {
	case unix.SYS_SENDMSG, unix.SYS_SENDTO:
		return s.send(n, sock)
	case unix.SYS_RECVMSG, unix.SYS_RECVFROM:
		return s.receive(n, sock)
	}
	return fmt.Errorf("nft uses system call %d on its netlink socket, which is not translated", n.nr)
}

// read answers nft's reading of its standard input in a conversation.
func (s *supervisor) read(n notification) error {
	b, err := s.talk.read(int(min(n.args[2], 1<<16)))
	if err != nil {
		return err
	}
	if err := memory(s.pid).write(b, uintptr(n.args[1])); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	return s.listener.answer(n.id, len(b))
}

// socket returns the socket behind a descriptor of nft's; its fd is -1 if that is
// no nf_tables socket.
func (s *supervisor) socket(number int) (*socket, error) {
	link, err := fdLink(s.pid, number)
	if err != nil { // no such descriptor: the kernel will say so
		return &socket{fd: -1}, nil
	}
	if k := s.sockets[number]; k != nil {
		if k.link == link {
			return k, nil
		}
		k.close()
	}
	k, err := openSocket(s.pidfd, number, link)
	if err != nil {
		return nil, err
	}
	s.sockets[number] = k
	return k, nil
}

// wait returns nil when fd is readable, errStopped when stop is.
func wait(fd, stop int) error {
	fds := []unix.PollFd{{Fd: int32(stop), Events: unix.POLLIN}, {Fd: int32(fd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case fds[0].Revents != 0:
			return errStopped
		default:
			return nil
		}
	}
}
