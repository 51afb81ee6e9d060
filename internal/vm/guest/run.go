// SPDX-License-Identifier: MIT

package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ports lead out of the guest.
type ports struct{ out, err, report *os.File }

// openPorts finds the ports by their names. They appear a moment after their
// driver.
func openPorts() (*ports, error) {
	p := new(ports)
	want := map[string]**os.File{PortOut: &p.out, PortErr: &p.err, PortReport: &p.report}
	for end := time.Now().Add(10 * time.Second); len(want) > 0; time.Sleep(time.Millisecond) {
		names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			text, err := os.ReadFile(n)
			if err != nil {
				return nil, err
			}
			name := strings.TrimSpace(string(text))
			at, ok := want[name]
			if !ok {
				continue
			}
			f, err := openPort("/dev/" + filepath.Base(filepath.Dir(n)))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			*at = f
			delete(want, name)
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%d of the ports to the outside did not appear", len(want))
		}
	}
	return p, nil
}

// openPort opens a device without the runtime's poller, which would make the
// descriptor non-blocking for those who inherit it, too.
func openPort(name string) (*os.File, error) {
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// run starts the plan's program and waits for it, burying every other process
// that is left to us meanwhile. Those that outlive the program are killed.
func run(plan *Plan, p *ports) (int, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	path, err := lookPath(plan.Argv[0], plan.Env)
	if err != nil {
		return 0, err
	}
	child, err := os.StartProcess(path, plan.Argv, &os.ProcAttr{
		Dir: plan.Dir, Env: plan.Env, Files: []*os.File{null, p.out, p.err},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, err
	}
	status, err := bury(child.Pid)
	if err != nil {
		return 0, err
	}
	// Of the processes that remain, none may keep a namespace or a module.
	if err := unix.Kill(-1, unix.SIGKILL); err == nil {
		_, _ = bury(-1) // until there is no child left
	}
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// bury waits for children until the one of that id has ended.
func bury(pid int) (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return status, fmt.Errorf("wait for process %d: %w", pid, err)
		case got == pid:
			return status, nil
		}
	}
}

// lookPath finds a program in the PATH of env.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	for _, e := range env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			for _, dir := range filepath.SplitList(path) {
				full := filepath.Join(dir, name)
				if st, err := os.Stat(full); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
					return full, nil
				}
			}
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}
