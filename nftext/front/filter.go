// SPDX-License-Identifier: MIT

package front

import "golang.org/x/sys/unix"

// openCall is a system call that opens a file, and which argument holds its flags.
type openCall struct {
	nr    uint32
	flags uint32
}

// ioCalls are the system calls that move datagrams. Those that libmnl does not
// use are there so that another nft cannot get around the translation unnoticed.
// write is not: the sandbox's own thread, where the Go runtime writes to wake its
// poller, would wait for a supervisor that may be waiting for it.
func ioCalls() []uint32 {
	return []uint32{
		unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_SENDTO, unix.SYS_RECVFROM,
		unix.SYS_SENDMMSG, unix.SYS_RECVMMSG,
	}
}

// Offsets in struct seccomp_data. The low half of an argument comes first: the
// architectures below are little-endian.
const (
	dataNr   = 0
	dataArch = 4
	dataArgs = 16
)

// filter returns the seccomp program for nft: what the supervisor answers is
// notified, another architecture's calls kill the process (their numbers mean
// something else), everything else goes on. Files opened close-on-exec are
// libraries and the C library's databases, such as /etc/services; rule files are
// opened without it. In a conversation reads of the standard input are notified too,
// and files opened for writing: the history.
func filter(talks bool) []unix.SockFilter {
	skip := uint32(unix.O_CLOEXEC | unix.O_DIRECTORY | unix.O_WRONLY | unix.O_RDWR)
	p := []unix.SockFilter{
		load(dataArch),
		jump(unix.BPF_JEQ, auditArch, 1, 0),
		ret(unix.SECCOMP_RET_KILL_PROCESS),
		load(dataNr),
		jump(unix.BPF_JGE, foreignCalls, 0, 1),
		ret(unix.SECCOMP_RET_KILL_PROCESS),
	}
	for _, nr := range ioCalls() {
		p = append(p, jump(unix.BPF_JEQ, nr, 0, 1), ret(unix.SECCOMP_RET_USER_NOTIF))
	}
	if talks {
		skip &^= unix.O_WRONLY
		p = append(p,
			jump(unix.BPF_JEQ, unix.SYS_READ, 0, 4),
			load(dataArgs),
			jump(unix.BPF_JEQ, 0, 0, 1),
			ret(unix.SECCOMP_RET_USER_NOTIF),
			ret(unix.SECCOMP_RET_ALLOW),
		)
	}
	for _, c := range openCalls() {
		p = append(p,
			jump(unix.BPF_JEQ, c.nr, 0, 4),
			load(dataArgs+8*c.flags),
			jump(unix.BPF_JSET, skip, 0, 1),
			ret(unix.SECCOMP_RET_ALLOW),
			ret(unix.SECCOMP_RET_USER_NOTIF),
		)
	}
	return append(p, ret(unix.SECCOMP_RET_ALLOW))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(op uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | op | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func ret(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
