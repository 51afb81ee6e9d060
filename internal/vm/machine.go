// SPDX-License-Identifier: MIT

package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"nftdict/internal/vm/guest"
	"nftdict/internal/vm/kernel"
)

// Machine is what a run takes place in. The zero value of a field means its
// default.
type Machine struct {
	Kernel *kernel.Kernel
	// Init is the static executable that becomes process 1: one whose main
	// calls guest.Main. Default: this one.
	Init string
	// Modules to load before the program starts, with what they need. Those
	// the kernel lacks are left out. Default: Networking().
	Modules []string
	// Extra are files of out-of-tree modules, loaded last and unloaded at the
	// end.
	Extra []string
	// Patience is for how long the unloading may take: namespaces are destroyed
	// behind the back of those who leave them. Default: 20 seconds.
	Patience time.Duration
	// Host shows the program the host's files, with memory above. Without it
	// the guest's root holds the files of Pack alone.
	Host bool
	// Pack are files of the host to put into the boot archive, by the path
	// they have there.
	Pack []Packed
	// Memory in MiB, default 1024. CPUs, default 2.
	Memory, CPUs int
	// Counted ties the guest's clock to its instructions, one nanosecond each:
	// a run is repeatable to a few per cent, and a busy host cannot time it
	// out. Idle time passes at once, unless the host's files are shown, for
	// waiting for them is idle time, too. There is one processor then.
	Counted bool
	// Params are added to the kernel's command line, QEMU to the arguments of
	// qemu-system-x86_64.
	Params, QEMU []string
	// Console, if set, receives the kernel's log while it is written.
	Console io.Writer
}

// Packed is a file of the host in the boot archive.
type Packed struct{ File, As string }

// Command is a program to run in a guest.
type Command struct {
	Argv           []string
	Env            []string
	Dir            string
	Stdout, Stderr io.Writer // nil discards; may be the same
}

// Result is how a run went.
type Result struct {
	guest.Report
	// Console is the kernel's log as the console showed it. Report.Log is the
	// better one, if the guest lived to send it.
	Console []byte
	// Complaints are what the kernel found wrong, from Log and Report.
	Complaints []Complaint
	Took       time.Duration
}

// ErrNoReport is returned when a machine ended without telling how its program
// went: the kernel panicked or was reset.
var ErrNoReport = errors.New("the guest ended without a report")

// Run boots the machine, runs the command and waits until both are over. A
// program that fails is no error, nor is a kernel that complains: the Result
// tells. When ctx ends, the machine is killed. The Result is not nil even with
// an error: it holds what is known by then.
func (m *Machine) Run(ctx context.Context, c Command) (*Result, error) {
	start := time.Now()
	res := new(Result)
	err := m.run(ctx, c, res)
	res.Took = time.Since(start)
	res.Complaints = append(complaints(res.log()), reported(&res.Report)...)
	if err != nil {
		return res, fmt.Errorf("guest with kernel %q: %w", m.Kernel.Name, err)
	}
	return res, nil
}

func (m *Machine) run(ctx context.Context, c Command, res *Result) error {
	archive, err := m.archive(c)
	if err != nil {
		return err
	}
	defer archive.Close()

	var log, report bytes.Buffer
	console := io.Writer(&log)
	if m.Console != nil {
		console = io.MultiWriter(&log, m.Console)
	}
	q, err := m.qemu(archive)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	drain := func(from net.Conn, to io.Writer) {
		wg.Go(func() {
			defer from.Close()
			if _, err := io.Copy(to, from); err != nil {
				// The reader is gone; the guest must not block on it.
				_, _ = io.Copy(io.Discard, from)
			}
		})
	}
	if err := q.start(); err != nil {
		return err
	}
	drain(q.console, console)
	var turn sync.Mutex
	drain(q.out, &inTurn{&turn, c.Stdout})
	drain(q.err, &inTurn{&turn, c.Stderr})
	drain(q.report, &report)
	err = q.wait(ctx)
	wg.Wait()
	res.Console = log.Bytes()
	if err != nil {
		return err
	}
	if report.Len() == 0 {
		return ErrNoReport
	}
	if err := json.Unmarshal(report.Bytes(), &res.Report); err != nil {
		return fmt.Errorf("report of the guest: %w", err)
	}
	return nil
}

// inTurn writes to what another may write to, too, and nowhere if that is nil.
type inTurn struct {
	turn *sync.Mutex
	to   io.Writer
}

func (w *inTurn) Write(b []byte) (int, error) {
	if w.to == nil {
		return len(b), nil
	}
	w.turn.Lock()
	defer w.turn.Unlock()
	return w.to.Write(b)
}

// log is the best log there is.
func (r *Result) log() []byte {
	if r.Log != "" {
		return []byte(r.Log)
	}
	return r.Console
}

// self is the file of this program.
func self() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return exe, nil
}
