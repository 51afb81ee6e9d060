// SPDX-License-Identifier: MIT

package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	tty "golang.org/x/term"
)

// Command is one run of nft.
type Command struct {
	Nft   string   // the binary; by default "nft" is looked up
	Args  []string // nft's arguments, without its name
	Codec Codec

	// Stdin is read to its end beforehand where Args name it as a file of rules,
	// and line by line with -i: where it and Stdout are terminals with nft's
	// prompt, history and simple editing. Nil is empty.
	Stdin io.Reader

	// Stdout and Stderr receive what nft prints, whole lines at a time and errors
	// at the end (with -i, of each command); nil discards.
	Stdout, Stderr io.Writer
}

// Run runs nft in the network namespace of the calling thread and returns its exit
// status. Errors in the user's text are printed in nft's form and give the status
// 1 with a nil error. An error means that nft could not be run, was ended by ctx or
// a signal (its status is then 128 and the signal), or that something it said
// could not be translated; nothing was loaded, unless nft had been answered so
// before. A listing that lacks a rule, because its term cannot be read, is an error
// too, with nft's own status, and so is ErrOutput. Where the kernel cannot intercept
// it wraps dict.ErrNotSupported.
//
// nft does not outlive the process that called Run, however that ends.
func (c *Command) Run(ctx context.Context) (exit int, err error) {
	table := newTerms()
	opts := readOptions(c.Args)
	source := newTexts(table, c.Codec, opts)
	source.talks = opts.talks(c.Args)
	args, stdin, err := c.input(source)
	var said *diagnosis
	if errors.As(err, &said) {
		return 1, c.print(said)
	}
	if err != nil {
		return 1, err
	}
	if f, ok := stdin.(*os.File); ok && stdin != c.Stdin {
		defer f.Close()
	}
	name := c.Nft
	if name == "" {
		name = "nft"
	}
	cmd := exec.CommandContext(ctx, name, args...)
	if cmd.Err != nil {
		return 1, fmt.Errorf("nft is needed: %w", cmd.Err)
	}
	cmd.Args[0] = filepath.Base(name) // nft prints it
	cmd.Stdin = stdin
	if source.talks { // nft reads what it is given, from no file
		cmd.Stdin = nil
	}
	shown := &sink{to: orDiscard(c.Stdout)}
	out, err := newOutput(cmd, source, shown, &sink{to: orDiscard(c.Stderr)})
	if err != nil {
		return 1, err
	}
	exit, err = c.supervise(cmd, out, source)
	if e := out.finish(); e != nil { // then nft's end is only what followed
		err = errors.Join(e, err)
	}
	if errors.As(err, &said) {
		return 1, c.print(said)
	}
	if shown.n > 0 { // a listing, and not what nft asks for its own sake
		err = errors.Join(err, table.complete())
	}
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	if err == nil && shown.err != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, shown.err)
	}
	return exit, err
}

// supervise runs cmd to its end.
func (c *Command) supervise(cmd *exec.Cmd, out *output, source *texts) (exit int, err error) {
	box, err := newSandbox(cmd, source.talks)
	if err != nil {
		return 1, err
	}
	defer box.close()
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return 1, fmt.Errorf("eventfd: %w", err)
	}
	defer unix.Close(stop)
	s := &supervisor{codec: c.Codec, terms: source.terms, texts: source, listener: box.listener, thread: box.thread, stop: stop}
	if source.talks {
		s.talk = c.talk(source, out, stop)
		defer func() { err = errors.Join(err, s.talk.close()) }()
	}
	served := make(chan struct{})
	server := make(chan int, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(served)
		server <- unix.Gettid()
		s.serve()
	}()
	err = box.launch()
	out.started()
	if err == nil {
		exit, err = exitOf(<-box.ended)
	} else {
		exit = 1
	}
	_, _ = unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	rouse(<-server, served)
	if s.err != nil {
		return 1, s.err
	}
	return exit, errors.Join(err, s.late)
}

// talk returns the conversation of nft -i.
func (c *Command) talk(source *texts, out *output, stop int) *talk {
	k := &talk{texts: source, out: out, stderr: orDiscard(c.Stderr)}
	in, isFile := c.Stdin.(*os.File)
	to, _ := c.Stdout.(*os.File)
	switch {
	case c.Stdin == nil:
		k.lines = &pipedLines{from: strings.NewReader("")}
	case !isFile:
		k.lines = &pipedLines{from: c.Stdin}
	case to != nil && tty.IsTerminal(int(in.Fd())) && tty.IsTerminal(int(to.Fd())):
		k.lines = newEditor(in, stop, to)
	default:
		k.lines = &pipedLines{from: stoppable{int(in.Fd()), stop}}
	}
	return k
}

// rouse waits until a thread has served. It may have begun to receive a call
// whose maker was killed at that moment: then only a signal gets it out of the
// kernel. The runtime uses this one for itself, and expects more of them than it
// sends.
func rouse(thread int, served <-chan struct{}) {
	const patience = 50 * time.Millisecond
	for {
		select {
		case <-served:
			return
		case <-time.After(patience):
			_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
		}
	}
}

// input returns the arguments and standard input for nft, with placeholders.
func (c *Command) input(source *texts) (args []string, stdin io.Reader, err error) {
	args, stdin = c.Args, c.Stdin
	o := source.options
	text := []byte(strings.Join(c.Args[o.command:], " ")) // as nft joins them
	text, changed, err := source.hide("", text)
	if err != nil {
		return nil, nil, err
	}
	if changed {
		args = append(append([]string(nil), c.Args[:o.command]...), string(text))
	}
	if o.stdin && stdin != nil {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, nil, fmt.Errorf("standard input: %w", err)
		}
		if text, _, err = source.hide("/dev/stdin", text); err != nil {
			return nil, nil, err
		}
		f, err := memoryFile(text)
		if err == nil {
			err = source.give(f, text)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("standard input: %w", err)
		}
		stdin = f
	}
	return args, stdin, nil
}

func (c *Command) print(d *diagnosis) error {
	_, err := io.WriteString(orDiscard(c.Stderr), d.text)
	return err
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
