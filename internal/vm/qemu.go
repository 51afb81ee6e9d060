// SPDX-License-Identifier: MIT

package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"nftdict/internal/vm/guest"
)

// niceness of the emulator: it takes all it can get.
const niceness = 10

// qemu is the emulator's process and the near ends of its ports.
type qemu struct {
	cmd                       *exec.Cmd
	diagnosis                 bytes.Buffer
	console, out, err, report net.Conn
	far                       []*os.File
	ended                     chan error
}

// qemu makes the process ready to start. The archive must stay open until it
// is running.
func (m *Machine) qemu(archive *os.File) (q *qemu, err error) {
	q = &qemu{ended: make(chan error, 1)}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	cpus := or(m.CPUs, 2)
	if m.Counted {
		cpus = 1
	}
	args := []string{
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-machine", "q35,accel=tcg", "-cpu", "max",
		"-m", strconv.Itoa(or(m.Memory, 1024)), "-smp", strconv.Itoa(cpus),
		"-kernel", m.Kernel.Image, "-append", strings.Join(m.params(), " "),
	}
	if m.Counted {
		sleep := "off"
		if m.Host {
			sleep = "on"
		}
		args = append(args, "-icount", "shift=0,sleep="+sleep)
	}
	q.far = append(q.far, archive)
	args = append(args, "-initrd", fmt.Sprintf("/proc/self/fd/%d", 2+len(q.far)))
	port := func(id string, near *net.Conn) error {
		var far *os.File
		*near, far, err = socketPair()
		if err != nil {
			return err
		}
		q.far = append(q.far, far)
		args = append(args, "-chardev", fmt.Sprintf("socket,id=%s,fd=%d", id, 2+len(q.far)))
		return nil
	}
	if err := port("console", &q.console); err != nil {
		return q, err
	}
	args = append(args, "-serial", "chardev:console", "-device", "virtio-serial-pci")
	for _, p := range []struct {
		id, name string
		near     *net.Conn
	}{{"out", guest.PortOut, &q.out}, {"err", guest.PortErr, &q.err}, {"report", guest.PortReport, &q.report}} {
		if err := port(p.id, p.near); err != nil {
			return q, err
		}
		args = append(args, "-device", fmt.Sprintf("virtserialport,chardev=%s,name=%s", p.id, p.name))
	}
	if m.Host {
		args = append(args,
			"-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
			"-device", "virtio-9p-pci,fsdev=host,mount_tag="+guest.ShareTag)
	}
	args = append(args, m.QEMU...)

	q.cmd = exec.Command("qemu-system-x86_64", args...)
	q.cmd.Stdout, q.cmd.Stderr = &q.diagnosis, &q.diagnosis
	q.cmd.ExtraFiles = q.far
	q.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	return q, nil
}

// start starts the emulator. Its death with ours is tied to the thread that
// starts it, so that thread waits for it.
func (q *qemu) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := q.cmd.Start()
		started <- err
		if err == nil {
			q.ended <- q.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		q.close()
		return fmt.Errorf("start the emulator: %w", err)
	}
	q.closeFar()
	// An emulator that cannot be slowed down is no reason not to run it.
	_ = unix.Setpriority(unix.PRIO_PROCESS, q.cmd.Process.Pid, niceness)
	return nil
}

// wait waits for the emulator, and kills it when ctx ends.
func (q *qemu) wait(ctx context.Context) error {
	select {
	case err := <-q.ended:
		if err != nil {
			return fmt.Errorf("emulator: %w: %s", err, strings.TrimSpace(q.diagnosis.String()))
		}
		return nil
	case <-ctx.Done():
		err := q.cmd.Process.Kill()
		<-q.ended
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("kill the emulator: %w", err)
		}
		return context.Cause(ctx)
	}
}

func (q *qemu) close() {
	for _, c := range []net.Conn{q.console, q.out, q.err, q.report} {
		if c != nil {
			c.Close()
		}
	}
	q.closeFar()
}

// closeFar closes our copies of what the emulator has inherited; the archive
// among them belongs to the caller.
func (q *qemu) closeFar() {
	for _, f := range q.far[min(1, len(q.far)):] {
		f.Close()
	}
	q.far = nil
}

// params is the kernel's command line.
func (m *Machine) params() []string {
	p := []string{
		"console=ttyS0", "loglevel=6", "log_buf_len=8M", "mitigations=off", "random.trust_cpu=on", "rdinit=/init",
		// An oops ends the machine and the machine ends the run: what the
		// program does after it means nothing. Reports that do not harm go on.
		"oops=panic", "panic=-1", "kasan_multi_shot", "reboot=t",
		// A busy host looks like clocks and timers that do not work.
		"tsc=reliable", "no_timer_check", "nowatchdog", "rcupdate.rcu_cpu_stall_timeout=60",
	}
	if !m.Counted {
		// The rate of the TSC is measured while the guest boots, and wrong where
		// the host is busy meanwhile: a minute then passes in ten seconds.
		p = append(p, "clocksource=hpet")
	}
	// The namespaces of all tests of a package go at once, which takes an emulated
	// processor minutes on the debug kernel, while whoever unloads a module waits.
	p = append(p, "sysctl.kernel.hung_task_timeout_secs=600")
	return append(p, m.Params...)
}

// socketPair returns two ends of a stream.
func socketPair() (near net.Conn, far *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	f := os.NewFile(uintptr(fds[0]), "near")
	defer f.Close()
	far = os.NewFile(uintptr(fds[1]), "far")
	if near, err = net.FileConn(f); err != nil {
		far.Close()
		return nil, nil, fmt.Errorf("socket pair: %w", err)
	}
	return near, far, nil
}

func or(v, otherwise int) int {
	if v != 0 {
		return v
	}
	return otherwise
}
