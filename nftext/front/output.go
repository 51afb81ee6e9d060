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
	for i := range o.ours {
		err = errors.Join(err, <-o.done[i])
		o.ours[i].Close()
	}
	for _, w := range o.to {
		err = errors.Join(err, w.Close())
	}
	return err
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

// counted is a writer that counts the bytes written.
type counted struct {
	to io.Writer
	n  int
}

// Write implements io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.to.Write(p)
}
