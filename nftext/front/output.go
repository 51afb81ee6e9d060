// SPDX-License-Identifier: MIT

package front

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// output is what nft prints, on its way to the user.
type output struct {
	theirs []*os.File // nft's ends
	ours   []*os.File
	to     []io.WriteCloser
	done   []chan error

	streams []*stream // of a conversation
}

// newOutput connects the standard output and error of cmd. In a conversation all
// is passed on as it comes.
func newOutput(cmd *exec.Cmd, x *texts, stdout, stderr io.Writer) (*output, error) {
	o := &output{}
	var first io.WriteCloser = &listing{terms: x.terms, json: x.json(), to: stdout}
	if x.options.debug {
		first = &debugged{terms: x.terms, json: x.json(), to: stdout}
	}
	for _, to := range []io.WriteCloser{first, &report{terms: x.terms, to: stderr}} {
		r, w, err := os.Pipe()
		if err != nil {
			o.started()
			return nil, errors.Join(fmt.Errorf("pipe: %w", err), o.finish())
		}
		_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeSize) // or a smaller one
		o.theirs, o.ours, o.to = append(o.theirs, w), append(o.ours, r), append(o.to, to)
		done := make(chan error, 1)
		o.done = append(o.done, done)
		if x.talks {
			s := &stream{from: r, to: to}
			o.streams = append(o.streams, s)
			go func() { done <- s.run() }()
			continue
		}
		go func() { done <- collect(to, r) }()
	}
	cmd.Stdout, cmd.Stderr = o.theirs[0], o.theirs[1]
	return o, nil
}

// started gives up nft's ends, so that theirs are the last.
func (o *output) started() {
	for _, f := range o.theirs {
		f.Close()
	}
	o.theirs = nil
}

// flush passes on all that nft has written. Without a conversation nobody asks.
func (o *output) flush() (err error) {
	for _, s := range o.streams {
		err = errors.Join(err, s.flush())
	}
	return err
}

// finish waits for the end of the output and passes on what is left of it.
func (o *output) finish() (err error) {
	o.started()
	failed := make([]error, len(o.ours))
	for i := range o.ours {
		failed[i] = <-o.done[i]
		o.ours[i].Close()
	}
	for i, w := range o.to {
		if closed := w.Close(); failed[i] == nil { // else it says the same again
			failed[i] = closed
		}
	}
	return errors.Join(failed...)
}

const (
	pipeSize = 1 << 20
	pause    = 300 * time.Microsecond
)

// collect copies r to w. nft writes every word by itself: after a short read
// collect pauses, so that a listing does not wake it for each word. When w takes
// no more r is closed, which nft notices.
func collect(w io.Writer, r *os.File) error {
	buf := make([]byte, 1<<18)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				r.Close()
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("output of nft: %w", err)
		case n < len(buf)/2:
			time.Sleep(pause)
		}
	}
}

// ErrOutput is of what Command could not write to Stdout: nft went on to its end,
// as it does where it prints by itself.
var ErrOutput = errors.New("standard output")

// sink is the writer that all output ends in. nft does not heed whether what it
// prints arrives, unless it is a pipe that nobody reads any more: so the first other
// error is kept, and what follows is dropped.
type sink struct {
	to  io.Writer
	n   int // bytes written
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (int, error) {
	if s.err != nil {
		return len(p), nil
	}
	n, err := s.to.Write(p)
	s.n += n
	if err == nil || errors.Is(err, unix.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return n, err
	}
	s.err = err
	return len(p), nil
}
