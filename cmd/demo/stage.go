// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"nftdict/internal/lab"
)

// Limits of what the demo waits for.
const (
	commandTimeout = 15 * time.Second
	settleTimeout  = 10 * time.Second
	settlePause    = 20 * time.Millisecond
	stopTimeout    = 5 * time.Second
)

// stage is the lab with the programs on it.
type stage struct {
	*lab.Lab
	*show
	opt    options
	daemon *lab.Cmd
	log    logBuffer
}

// newStage sets the lab up. The gateway gets a /run and a bpffs of its own, so
// that the programs find everything where they look by default and nothing
// outlives the demo.
func newStage(ctx context.Context, opt options, show *show) (*stage, error) {
	l, err := lab.New(ctx, lab.Config{Guest: true})
	if err != nil {
		return nil, err
	}
	st := &stage{Lab: l, show: show, opt: opt}
	if err := st.furnish(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return st, nil
}

// pins is where the eBPF backend keeps its maps. It uses the bpffs it finds
// there, and would else mount one for the whole machine.
const pins = "/run/nftdict/bpf"

func (st *stage) furnish(ctx context.Context) error {
	if err := st.Gateway.Mount("tmpfs", "/run"); err != nil {
		return err
	}
	if out, err := st.try(ctx, st.Gateway, "mkdir -p "+pins); err != nil {
		return fmt.Errorf("mkdir %s: %w: %s", pins, err, out)
	}
	return st.Gateway.Mount("bpf", pins)
}

// close stops the daemon, if it runs, and the lab.
func (st *stage) close() error {
	var err error
	if st.daemon != nil {
		err = st.stopDaemon()
	}
	return errors.Join(err, st.Close())
}

// dictctl begins a command line: the program, and the backend if one was
// asked for.
func (st *stage) dictctl() string {
	if st.opt.backend == "auto" {
		return "dictctl"
	}
	return "dictctl --backend " + st.opt.backend
}

// shell prepares a command line in a namespace, read by sh as it was shown.
func (st *stage) shell(ctx context.Context, n *lab.Namespace, line string) *lab.Cmd {
	c := n.Command(ctx, "sh", "-c", line)
	c.Env = append(c.Env, "PATH="+st.opt.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return c
}

// try runs a command line in a namespace and returns all it printed.
func (st *stage) try(ctx context.Context, n *lab.Namespace, line string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	out, err := st.shell(ctx, n, line).CombinedOutput()
	return string(out), err
}

// prompt tells the audience whose shell it is.
func prompt(n *lab.Namespace) string {
	if n.Name() == "gateway" {
		return n.Name() + "#"
	}
	return n.Name() + "$"
}

// do shows a command line, runs it, and shows what it printed, at most lines
// of it (0: all). That it fails is an error.
func (st *stage) do(ctx context.Context, n *lab.Namespace, lines int, line string) (string, error) {
	st.command(prompt(n), line)
	out, err := st.try(ctx, n, line)
	st.output(out, lines)
	if err != nil {
		return out, fmt.Errorf("%s: %w", line, err)
	}
	return out, nil
}

// gateway shows and runs command lines on the gateway, in which a leading
// "dictctl" gets the backend; it ends at the first that fails.
func (st *stage) gateway(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "dictctl "); ok {
			line = st.dictctl() + " " + rest
		}
		if _, err := st.do(ctx, st.Gateway, 0, line); err != nil {
			return err
		}
	}
	return nil
}

// visit shows and runs a command line that a claim will be made about, on a
// client; it returns what was printed, and whether it succeeded.
func (st *stage) visit(ctx context.Context, n *lab.Namespace, line string) (string, bool) {
	st.command(prompt(n), line)
	out, err := st.try(ctx, n, line)
	st.output(out, 3)
	return strings.TrimSpace(out), err == nil
}

// eventually waits until f holds, for what happens soon.
func (st *stage) eventually(ctx context.Context, f func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		if f() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(settlePause):
		}
	}
}

// startDaemon starts dictd and waits until it answers.
func (st *stage) startDaemon(ctx context.Context) error {
	conf := filepath.Join(filepath.Dir(st.CAFile()), "dictd.toml")
	text := fmt.Sprintf("backend = %q\n", st.opt.backend)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	line := "dictd -config " + conf
	st.command(prompt(st.Gateway), line+" &")
	// It outlives ctx, to be stopped in good order.
	st.daemon = st.shell(context.WithoutCancel(ctx), st.Gateway, "exec "+line)
	st.daemon.Stdout, st.daemon.Stderr = &st.log, &st.log
	if err := st.daemon.Start(); err != nil {
		st.daemon = nil
		return err
	}
	up := st.eventually(ctx, func() bool {
		_, err := st.try(ctx, st.Gateway, st.dictctl()+" -j status")
		return err == nil
	})
	if !up && ctx.Err() == nil {
		return fmt.Errorf("dictd does not answer; it said:\n%s", &st.log)
	}
	return ctx.Err()
}

// stopDaemon asks dictd to end, and insists after a while.
func (st *stage) stopDaemon() error {
	d := st.daemon
	st.daemon = nil
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop dictd: %w", err)
	}
	insist := time.AfterFunc(stopTimeout, func() { d.Process.Kill() })
	defer insist.Stop()
	if err := d.Wait(); err != nil {
		return fmt.Errorf("dictd: %w; it said:\n%s", err, &st.log)
	}
	return nil
}

// killDaemon ends dictd as a crash would.
func (st *stage) killDaemon(ctx context.Context) error {
	d := st.daemon
	if err := st.gateway(ctx, fmt.Sprintf("kill -9 %d", d.Process.Pid)); err != nil {
		return err
	}
	st.daemon = nil
	var exit *exec.ExitError
	if err := d.Wait(); !errors.As(err, &exit) {
		return fmt.Errorf("dictd was killed, and ended with: %w", err)
	}
	return nil
}

// logBuffer keeps what the daemon says. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends p.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written so far.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
