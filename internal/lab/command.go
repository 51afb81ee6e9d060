// SPDX-License-Identifier: MIT

package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killDelay is how long the output pipes of a killed command may stay open.
const killDelay = 2 * time.Second

// Cmd is an exec.Cmd that runs inside a namespace, in a process group of its
// own. The group is killed when the process ends, when the context ends and
// when the lab closes; the process itself dies with this one, even if this one
// is killed.
type Cmd struct {
	*exec.Cmd
	ns   *Namespace
	wait sync.Once
	err  error
}

// Command prepares a command that runs in the namespace. /sys and /proc are
// the host's, so a bpffs mounted there stays visible. The environment is that
// of this process without its proxies, and in client and guest the programs
// that honour SSL_CERT_FILE or CURL_CA_BUNDLE trust the lab's authority.
func (n *Namespace) Command(ctx context.Context, name string, args ...string) *Cmd {
	c := &Cmd{Cmd: exec.CommandContext(ctx, name, args...), ns: n}
	c.Env = slices.DeleteFunc(os.Environ(), isProxy)
	c.Env = append(c.Env, n.env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = c.kill
	c.WaitDelay = killDelay
	return c
}

func isProxy(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return strings.HasSuffix(strings.ToLower(name), "_proxy")
}

// Start starts the command on the namespace's own thread.
func (c *Cmd) Start() error {
	if err := c.ns.keeper.do(c.Cmd.Start); err != nil {
		return err
	}
	c.ns.mu.Lock()
	defer c.ns.mu.Unlock()
	c.ns.running[c] = struct{}{}
	return nil
}

// Wait waits for the started command, and kills what it leaves behind in its
// process group. It may be called more than once and concurrently; all calls
// return the same error.
func (c *Cmd) Wait() error {
	c.wait.Do(func() {
		if c.Process != nil {
			// Until it is reaped nobody else can get its number.
			awaitExit(c.Process.Pid)
			c.kill()
		}
		c.err = c.Cmd.Wait()
		c.ns.mu.Lock()
		defer c.ns.mu.Unlock()
		delete(c.ns.running, c)
	})
	return c.err
}

// Run starts the command and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the command and returns its standard output. An *exec.ExitError
// holds its standard error, unless that is redirected.
func (c *Cmd) Output() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("lab: Stdout already set")
	}
	var stdout, stderr bytes.Buffer
	c.Stdout = &stdout
	own := c.Stderr == nil
	if own {
		c.Stderr = &stderr
	}
	err := c.Run()
	var exit *exec.ExitError
	if own && errors.As(err, &exit) {
		exit.Stderr = stderr.Bytes()
	}
	return stdout.Bytes(), err
}

// CombinedOutput runs the command and returns its output and error output.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	if c.Stdout != nil || c.Stderr != nil {
		return nil, errors.New("lab: Stdout or Stderr already set")
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// awaitExit returns when the child has ended, and leaves it to be reaped.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// kill ends the whole process group.
func (c *Cmd) kill() error {
	if c.Process == nil {
		return nil
	}
	err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
