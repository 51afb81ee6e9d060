// SPDX-License-Identifier: MIT

package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

// Config of a Reader.
type Config struct {
	Num       uint16 // number of the queue
	First     bool   // the queue gets packets of unconfirmed entries
	NetNS     int    // descriptor of the network namespace; 0 means the caller's
	Source    Source // where the conntrack id comes from
	Length    uint32 // packets that may wait; 0 means the kernel's 1024
	CopyRange uint32 // bytes of each packet to copy; 0 means all
	Buffer    int    // bytes of the socket's receive buffer; 0 means the kernel's default
	// FailOpen lets packets that find the queue full go on instead of being
	// dropped. The kernel neither counts these nor numbers them.
	FailOpen bool

	// FinishMark is the packet mark that tells the rules, in a Finish verdict,
	// to mark the connection (ByMark), or the bits to set in the conntrack mark
	// (ByConntrack). With 0 Finish is Accept.
	FinishMark uint32
	// Handle decides on a packet. It runs on the goroutine of Run.
	Handle func(*Packet) Verdict
}

// Counters of a Reader, all since it was opened.
type Counters struct {
	Packets       uint64 // verdicts given
	Unreadable    uint64 // accepted without looking: message without payload or id
	Panics        uint64 // accepted because Handle panicked
	VerdictErrors uint64 // verdicts that the kernel did not take
	Overruns      uint64 // times the socket was full: packets passed, or dropped, unseen
	ReadErrors    uint64 // other errors of reading
}

// Reader owns one queue.
type Reader struct {
	cfg  Config
	sock *socket

	packet   Packet    // these belong to the goroutine of Run
	early    [][]byte  // what came before Run
	verdicts [3][]byte // messages of a verdict each
	answers  []byte    // verdicts to be sent
	answered uint64    // how many

	fences, passed atomic.Uint32 // numbers of messages: the last that asked for an answer, and was answered

	packets, unreadable, panics, verdictErrors, overruns, readErrors atomic.Uint64
}

// Probe tells where the conntrack id of packets can come from, without binding the
// queue: its packets go on as they do. The error wraps unix.EPERM without
// CAP_NET_ADMIN or where another process has the queue.
func Probe(num uint16, netns int) (Source, error) {
	sock, err := newSocket(netns)
	if err != nil {
		return 0, fmt.Errorf("queue %d: %w", num, err)
	}
	sock.expect(0)
	// The owner is looked at before the queue, but flags before both.
	ask := func(attrs func(message) message) {
		if err == nil || errors.Is(err, unix.ENODEV) {
			_, err = sock.configure(num, attrs)
		}
	}
	ask(func(m message) message { return m })
	ask(func(m message) message { return m.number(cfgFlags, flagConntrack).number(cfgMask, flagConntrack) })
	source := ByConntrack
	switch {
	case errors.Is(err, unix.ENODEV):
		err = nil
	case errors.Is(err, unix.EOPNOTSUPP):
		source, err = ByMark, nil
	}
	if err = errors.Join(err, sock.conn.Close()); err != nil {
		err = fmt.Errorf("queue %d: %w", num, err)
	}
	return source, err
}

// Open binds a queue, whose packets wait for Run. The error wraps unix.EOPNOTSUPP
// where the kernel cannot attach conntrack data, and unix.EPERM without
// CAP_NET_ADMIN or where another process has the queue.
func Open(cfg Config) (*Reader, error) {
	// The socket may get the number of one that is just being closed: until the
	// kernel has forgotten that one's queue (net/netlink/af_netlink.c,
	// netlink_release) it takes this one for its owner.
	for wait := time.Millisecond; ; wait *= 2 {
		r, err := open(cfg)
		if err == nil {
			return r, nil
		}
		if !errors.Is(err, unix.EBUSY) || wait > 100*time.Millisecond {
			return nil, fmt.Errorf("queue %d: %w", cfg.Num, err)
		}
		time.Sleep(wait)
	}
}

func open(cfg Config) (*Reader, error) {
	if cfg.CopyRange == 0 {
		cfg.CopyRange = 0xffff
	}
	sock, err := newSocket(cfg.NetNS)
	if err != nil {
		return nil, err
	}
	r := &Reader{cfg: cfg, sock: sock, packet: Packet{First: cfg.First}}
	r.verdicts = [...][]byte{Accept: verdictMessage(&cfg, Accept), Finish: verdictMessage(&cfg, Finish), Drop: verdictMessage(&cfg, Drop)}
	if cfg.Buffer > 0 {
		err = sock.setBuffer(cfg.Buffer)
	}
	if err == nil {
		sock.expect(int(cfg.CopyRange))
		r.early, err = sock.configure(cfg.Num, cfg.bind)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// bind appends what makes a queue.
func (c *Config) bind(m message) message {
	m = m.attr(cfgCmd, []byte{cmdBind, 0, 0, unix.AF_UNSPEC})
	m = m.attr(cfgParams, append(binary.BigEndian.AppendUint32(nil, c.CopyRange), copyPacket))
	if c.Length > 0 {
		m = m.number(cfgLength, c.Length)
	}
	flags := uint32(flagGSO)
	if c.FailOpen {
		flags |= flagFailOpen
	}
	if c.Source == ByConntrack {
		flags |= flagConntrack
	}
	return m.number(cfgFlags, flags).number(cfgMask, flags)
}

// Run handles packets until ctx ends, and then closes the Reader: the kernel drops
// the packets that still wait; what comes later goes the way of a queue without a
// reader.
func (r *Reader) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = r.sock.conn.SetReadDeadline(time.Unix(1, 0)) })()
	var failed error
	err := r.sock.raw.Read(func(fd uintptr) bool {
		for _, b := range r.early {
			r.datagram(b)
		}
		r.early = nil
		failed = r.drain(ctx, int(fd))
		return failed != nil // else wait until there is more
	})
	if err = errors.Join(failed, err); ctx.Err() != nil {
		err = nil
	} else if err != nil {
		r.readErrors.Add(1)
		err = fmt.Errorf("queue %d: %w", r.cfg.Num, err)
	}
	return errors.Join(err, r.Close())
}

// Close gives the queue of a Reader back that does not run.
func (r *Reader) Close() error { return r.sock.conn.Close() }

// Num returns the number of the queue.
func (r *Reader) Num() uint16 { return r.cfg.Num }

// First reports whether the queue gets packets of unconfirmed entries.
func (r *Reader) First() bool { return r.cfg.First }

// SetFailOpen changes what becomes of packets that find the queue full.
func (r *Reader) SetFailOpen(open bool) error {
	flags := uint32(0)
	if open {
		flags = flagFailOpen
	}
	return r.sock.send(newMessage(msgConfig, unix.NLM_F_REQUEST, 0, r.cfg.Num).number(cfgFlags, flags).number(cfgMask, flagFailOpen))
}

// Fence returns a number that Passed reports when the packets that wait in the queue now
// have been handled. It may get lost where the socket is full.
func (r *Reader) Fence() (uint32, error) {
	n := r.fences.Add(1)
	return n, r.sock.send(newMessage(msgConfig, unix.NLM_F_REQUEST|unix.NLM_F_ACK, n, r.cfg.Num))
}

// Passed reports whether all has been handled that waited before a Fence.
func (r *Reader) Passed(fence uint32) bool { return int32(r.passed.Load()-fence) >= 0 }

// Counters returns the counters.
func (r *Reader) Counters() Counters {
	return Counters{
		Packets: r.packets.Load(), Unreadable: r.unreadable.Load(), Panics: r.panics.Load(),
		VerdictErrors: r.verdictErrors.Load(), Overruns: r.overruns.Load(), ReadErrors: r.readErrors.Load(),
	}
}

// drain handles packets until the socket runs dry or ctx ends. The verdicts of those
// that were read together are sent together.
func (r *Reader) drain(ctx context.Context, fd int) error {
	for {
		n, err := r.sock.receive(fd)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENOBUFS):
			r.overruns.Add(1)
		case errors.Is(err, unix.EAGAIN):
			r.answer(fd)
			return nil
		default:
			return err
		}
		for i := range n {
			r.datagram(r.sock.datagram(i))
		}
		r.answer(fd)
		if err == nil && n < burst || ctx.Err() != nil {
			return nil
		}
	}
}

// datagram handles the messages of a datagram.
func (r *Reader) datagram(b []byte) {
	for {
		m, rest, ok := next(b)
		switch {
		case !ok:
			return
		case m.typ == unix.NLMSG_ERROR && m.errno != 0: // of a verdict
			r.verdictErrors.Add(1)
		case m.typ == unix.NLMSG_ERROR: // behind the packets that waited
			r.passed.Store(m.seq)
		case m.typ == msgPacket && m.num == r.cfg.Num: // others are of a socket of before
			r.one(m.attrs)
		}
		b = rest
	}
}

// one decides on a packet.
func (r *Reader) one(attrs []byte) {
	id, numbered, whose := r.packet.fill(attrs, r.cfg.Source)
	verdict := Accept
	if whose && numbered {
		verdict = r.handle()
	} else {
		r.unreadable.Add(1)
	}
	if !numbered {
		return
	}
	r.answers = append(r.answers, r.verdicts[verdict]...)
	binary.BigEndian.PutUint32(r.answers[len(r.answers)-len(r.verdicts[verdict])+verdictID:], id)
	r.answered++
}

// handle shields the queue from a Handle that panics.
func (r *Reader) handle() (v Verdict) {
	defer func() {
		if recover() != nil {
			r.panics.Add(1)
			v = Accept
		}
	}()
	return r.cfg.Handle(&r.packet)
}

// answer sends the verdicts.
func (r *Reader) answer(fd int) {
	if r.answered == 0 {
		return
	}
	r.packets.Add(r.answered)
	if err := nowait.Write(fd, r.answers); err != nil {
		r.verdictErrors.Add(r.answered)
	}
	r.answers, r.answered = r.answers[:0], 0
}
