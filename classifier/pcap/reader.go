// SPDX-License-Identifier: MIT

package pcap

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxRecord is the longest packet, or pcapng block, that is read, in bytes.
const MaxRecord = 256 << 10

// ErrFormat is wrapped by every error about the contents of a file.
var ErrFormat = errors.New("capture file")

// Record is one captured packet. Data is valid until the next call of Next.
type Record struct {
	Time time.Time
	Link Link
	Data []byte // from the link header on; shorter than the packet if that was cut
}

// Reader reads packets from a pcap or pcapng file.
type Reader struct {
	in   *bufio.Reader
	next func() (Record, error)
	buf  []byte // a record that does not fit in's own memory
	past int    // bytes of in that were given out without a copy
}

// NewReader reads the head of a file. Errors about its contents wrap ErrFormat.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: bufio.NewReaderSize(in, 32<<10)}
	magic, err := r.in.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("%w: no header: %w", ErrFormat, err)
	}
	if binary.BigEndian.Uint32(magic) == blockSection {
		r.next = (&ngFile{r: r}).next
		return r, nil
	}
	f := &classicFile{r: r}
	if err := f.header(); err != nil {
		return nil, err
	}
	r.next = f.next
	return r, nil
}

// Next returns the next packet, io.EOF at the end of the file, and an error that
// wraps ErrFormat where the file breaks off or makes no sense.
func (r *Reader) Next() (Record, error) { return r.next() }

// read returns the next n bytes, valid until the next read. At the very end of
// the file it returns io.EOF.
func (r *Reader) read(n int) ([]byte, error) {
	if n < 0 || n > MaxRecord {
		return nil, fmt.Errorf("%w: record of %d bytes", ErrFormat, n)
	}
	r.settle()
	if n <= r.in.Size() { // the usual case: no copy
		b, err := r.in.Peek(n)
		switch {
		case err == io.EOF && len(b) > 0:
			return nil, fmt.Errorf("%w: breaks off: %w", ErrFormat, io.ErrUnexpectedEOF)
		case err == io.EOF && n > 0:
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("%w: breaks off: %w", ErrFormat, err)
		}
		r.past = n
		return b, nil
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	b := r.buf[:n]
	if _, err := io.ReadFull(r.in, b); err == io.EOF {
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w: breaks off: %w", ErrFormat, err)
	}
	return b, nil
}

// settle steps over what was given out.
func (r *Reader) settle() {
	if r.past > 0 {
		_, _ = r.in.Discard(r.past) // it is there: it was peeked at
		r.past = 0
	}
}

// inside turns the end of the file into an error: there had to be more.
func inside(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: breaks off: %w", ErrFormat, io.ErrUnexpectedEOF)
	}
	return err
}
