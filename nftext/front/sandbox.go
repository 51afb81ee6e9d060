// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// sandbox owns the thread that carries the filter and forks nft. The thread lives
// as long as nft: the kernel kills nft when its parent thread ends.
type sandbox struct {
	listener listener
	thread   int // id of the thread

	start chan struct{}
	began chan error
	ended chan error // the result of exec.Cmd.Wait
}

// newSandbox installs the filter on a thread of its own, in the network namespace
// of the calling thread, and makes cmd ready to start there.
func newSandbox(cmd *exec.Cmd, talks bool) (*sandbox, error) {
	if auditArch == 0 {
		return nil, fmt.Errorf("intercept nft: %w on %s: needs amd64 or arm64", dict.ErrNotSupported, runtime.GOARCH)
	}
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	defer ns.Close()
	s := &sandbox{
		listener: -1,
		start:    make(chan struct{}),
		began:    make(chan error, 1),
		ended:    make(chan error, 1),
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	ready := make(chan error)
	onThread(func() { s.run(cmd, ns, filter(talks), ready) })
	if err := <-ready; err != nil {
		return nil, err
	}
	return s, nil
}

// onThread runs f on a thread of its own, which ends with f. The process's main
// thread, which would stay, is not used.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		elsewhere := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(elsewhere)
			f()
		}()
		<-elsewhere
		runtime.UnlockOSThread()
	}()
}

// run is the thread's work.
func (s *sandbox) run(cmd *exec.Cmd, ns *os.File, program []unix.SockFilter, ready chan<- error) {
	s.thread = unix.Gettid()
	err := joinNetwork(ns)
	if err == nil {
		s.listener, err = install(program)
	}
	ready <- err
	if err != nil {
		return
	}
	if _, ok := <-s.start; !ok {
		return
	}
	err = cmd.Start()
	s.began <- err
	if err == nil {
		s.ended <- cmd.Wait()
	}
}

// launch starts nft.
func (s *sandbox) launch() error {
	s.start <- struct{}{}
	return <-s.began
}

// close releases the listener. The thread ends by itself, with nft or without.
func (s *sandbox) close() {
	close(s.start)
	unix.Close(int(s.listener))
}

// joinNetwork moves the calling thread to a network namespace unless it is there:
// a new thread starts in the process's, its maker may have changed to another.
func joinNetwork(ns *os.File) error {
	var want, have unix.Stat_t
	if err := unix.Fstat(int(ns.Fd()), &want); err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	if err := unix.Stat("/proc/thread-self/ns/net", &have); err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	if want.Dev == have.Dev && want.Ino == have.Ino {
		return nil
	}
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("join network namespace: %w", err)
	}
	return nil
}

// install puts a filter on the calling thread.
func install(program []unix.SockFilter) (listener, error) {
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	seccomp := func() (int, unix.Errno) {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
		return int(fd), errno
	}
	fd, errno := seccomp()
	if errno == unix.EACCES { // without CAP_SYS_ADMIN: give up set-user-id programs
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return -1, fmt.Errorf("intercept nft: no_new_privs: %w", err)
		}
		fd, errno = seccomp()
	}
	runtime.KeepAlive(program)
	var why string
	switch errno {
	case 0:
		unix.CloseOnExec(fd)
		listener(fd).wakeHere()
		return listener(fd), nil
	case unix.EBUSY:
		why = "a container or tracer already listens to this process's system calls; run outside of it, or without its seccomp notification profile"
	case unix.EINVAL:
		why = "needs Linux 5.19 or later with CONFIG_SECCOMP_FILTER (seccomp user notification, killable wait)"
	case unix.ENOSYS:
		why = "needs a kernel with seccomp, and a container profile that lets seccomp(2) through"
	default:
		return -1, fmt.Errorf("intercept nft: seccomp: %w", errno)
	}
	return -1, fmt.Errorf("intercept nft: %w: %s (seccomp: %w)", dict.ErrNotSupported, why, errno)
}

// exitOf returns nft's exit status from the result of Wait. A death by a signal is
// an error.
func exitOf(err error) (int, error) {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return exit.ExitCode(), nil
	}
	code := 128 + int(status.Signal())
	if status.Signal() == unix.SIGSYS {
		return code, fmt.Errorf("nft ended by %v: %w: needs an nft binary of this program's architecture, %s", status.Signal(), dict.ErrNotSupported, runtime.GOARCH)
	}
	return code, fmt.Errorf("nft ended by %v", status.Signal())
}
