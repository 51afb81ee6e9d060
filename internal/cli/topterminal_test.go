// SPDX-License-Identifier: MIT

package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/internal/cli"
	"nftdict/internal/need"
)

// terminal returns both ends of a pseudo terminal: what a person has, and what a program
// has.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	need.Feature(t, "terminal", func() (err error) {
		if person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
			return err
		}
		var n int
		if err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
		}
		if err == nil {
			program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
		}
		if err != nil {
			person.Close()
		}
		return err
	})
	t.Cleanup(func() { person.Close(); program.Close() })
	return person, program
}

func TestTopOnTerminal(t *testing.T) {
	person, program := terminal(t)
	if err := unix.IoctlSetWinsize(int(program.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 10, Col: 60}); err != nil {
		t.Fatal(err)
	}
	before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen bytes.Buffer
	go func() {
		for buf := make([]byte, 4096); ; {
			n, err := person.Read(buf)
			mu.Lock()
			seen.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	await := func(what string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			mu.Lock()
			text := seen.String()
			mu.Unlock()
			if strings.Contains(text, what) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("want %q in %q", what, text)
			}
		}
	}
	app := &cli.App{Stdin: program, Stdout: program, Stderr: os.Stderr, Daemon: func(string) cli.Daemon { return newFakeDaemon() }}
	done := make(chan int, 1)
	go func() { done <- app.Run(t.Context(), []string{"top"}) }()
	await("\x1b[?1049h")
	await("applications by rate")
	fmt.Fprint(person, "u")
	await("users by rate")
	fmt.Fprint(person, "s")
	await("users by in")
	fmt.Fprint(person, "\x1b[Bq")
	select {
	case status := <-done:
		if status != cli.ExitDone {
			t.Errorf("exit status %d", status)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	await("\x1b[?1049l")
	after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("the terminal is left as %+v, was %+v, %v", after, before, err)
	}
}

func TestTopOnce(t *testing.T) {
	d := newFakeDaemon()
	status, out, stderr := runWith(t, d, "top", "--once", "--by", "host")
	if status != cli.ExitDone || !strings.Contains(out, "hosts by rate") {
		t.Errorf("exit status %d, %s%s", status, out, stderr)
	}
	if status, out, _ = runWith(t, d, "-j", "top"); status != cli.ExitDone || !strings.HasPrefix(out, `{"top":{"by":"application"`) {
		t.Errorf("json: exit status %d, %s", status, out)
	}
	for _, bad := range [][]string{{"top", "--by", "cat"}, {"top", "--sort", "beauty"}, {"top", "--limit", "-1"}, {"top", "more"}} {
		if status, _, _ := runWith(t, d, bad...); status != cli.ExitUsage {
			t.Errorf("%q: exit status %d", bad, status)
		}
	}
}
