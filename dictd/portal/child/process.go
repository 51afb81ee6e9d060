// SPDX-License-Identifier: MIT

package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"nftdict/dictd/portal/desk"
)

// Word is the first argument of the process.
const Word = "portal-web"

// Descriptors of the process, besides its standard ones: of those it reads orders
// from 0 and writes its log to 2.
const (
	fdDesk   = 3
	fdListen = 4
)

// stopTimeout is for how long a process is waited for that is to end.
const stopTimeout = 3 * time.Second

// once starts a process and serves it until it or ctx ends.
func (s *Supervisor) once(ctx context.Context) error {
	here, there, err := desk.Pair()
	if err != nil {
		return err
	}
	defer here.Close()
	defer there.Close()
	cmd := s.command(there)
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	out, err := cmd.StderrPipe()
	if err != nil {
		return fmt.Errorf("portal: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("portal: start %s: %w", cmd.Path, err)
	}
	there.Close()
	s.setPID(cmd.Process.Pid)
	defer s.setPID(0)
	// Whatever ends first ends the rest: the process, at the end of its orders.
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return finished(desk.Serve(ctx, here, s.Desk, s.Log)) })
	all.Go(func() error {
		defer in.Close()
		to := json.NewEncoder(in)
		for {
			if err := to.Encode(s.current()); err != nil {
				return fmt.Errorf("portal: orders: %w", err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-s.news:
			}
		}
	})
	all.Go(func() error {
		forward(out, s.Log)
		return errEnded
	})
	all.Go(func() error {
		<-ctx.Done()
		in.Close()
		kill := time.AfterFunc(stopTimeout, func() { _ = cmd.Process.Kill() }) // it may have ended
		defer kill.Stop()
		_, err := cmd.Process.Wait()
		out.Close()
		return err
	})
	return all.Wait()
}

// errEnded says that the process has.
var errEnded = errors.New("portal: the process has ended")

// finished makes an error of what is none: nothing ends before the process.
func finished(err error) error {
	if err == nil {
		return errEnded
	}
	return err
}

func (s *Supervisor) setPID(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid = pid
}

// command is the program with all it is given.
func (s *Supervisor) command(desk *os.File) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", Word, strconv.Itoa(len(s.HTTP)), strconv.Itoa(len(s.HTTPS)))
	cmd.Args[0] = "dictd"
	cmd.Dir = "/"
	cmd.Env = []string{"GOTRACEBACK=single"}
	cmd.ExtraFiles = append([]*os.File{desk}, s.files...)
	// Signals of a terminal are for the daemon, which ends the process itself.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: s.UID, Gid: s.GID}
	}
	return cmd
}
