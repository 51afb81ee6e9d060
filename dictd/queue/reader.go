// SPDX-License-Identifier: MIT

package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/florianl/go-nfqueue/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/dictd/conntrack"
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
	// Handle decides on a packet. It runs on the Reader's goroutine.
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
	cfg    Config
	nfq    *nfqueue.Nfqueue
	cancel context.CancelFunc
	failed chan error // the first error that ends reading

	packet Packet // these belong to the reading goroutine
	flow   conntrack.Flow
	finish []nfqueue.VerdictOption

	packets, unreadable, panics, verdictErrors, overruns, readErrors atomic.Uint64
}

// Open binds a queue and begins to handle its packets; Run must follow. The
// error wraps unix.EOPNOTSUPP where the kernel cannot attach conntrack data,
// and unix.EPERM without CAP_NET_ADMIN or where another process has the queue.
func Open(cfg Config) (*Reader, error) {
	// The socket may get the number of one that is just being closed: until the
	// kernel has forgotten that one's queue (net/netlink/af_netlink.c,
	// netlink_release) its packets come here, and are taken for answers.
	for wait := time.Millisecond; ; wait *= 2 {
		r, err := open(cfg)
		var oe *netlink.OpError
		if err == nil || !errors.As(err, &oe) || oe.Op != "validate" || wait > 100*time.Millisecond {
			return r, err
		}
		time.Sleep(wait)
	}
}

func open(cfg Config) (*Reader, error) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Reader{cfg: cfg, cancel: cancel, failed: make(chan error, 1)}
	r.packet.First = cfg.First
	if cfg.CopyRange == 0 {
		cfg.CopyRange = 0xffff
	}
	// Large packets as they are: the kernel need not segment what only passes.
	flags := uint32(nfqueue.NfQaCfgFlagGSO)
	if cfg.FailOpen {
		flags |= nfqueue.NfQaCfgFlagFailOpen
	}
	if cfg.Source == ByConntrack {
		flags |= nfqueue.NfQaCfgFlagConntrack
	} else if cfg.FinishMark != 0 {
		r.finish = []nfqueue.VerdictOption{nfqueue.WithMark(cfg.FinishMark)}
	}
	nfq, err := nfqueue.Open(&nfqueue.Config{
		// No packets yet: the library would take them for the kernel's answers.
		NetNS: cfg.NetNS, NfQueue: cfg.Num, MaxQueueLen: cfg.Length, MaxPacketLen: cfg.CopyRange,
		Copymode: nfqueue.NfQnlCopyNone, Flags: flags, AfFamily: unix.AF_UNSPEC,
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("queue %d: %w", cfg.Num, err)
	}
	r.nfq = nfq
	if cfg.Buffer > 0 {
		if err := setBuffer(nfq.Con, cfg.Buffer); err != nil {
			r.Close()
			return nil, fmt.Errorf("queue %d: receive buffer of %d bytes: %w", cfg.Num, cfg.Buffer, err)
		}
	}
	if err := nfq.RegisterWithErrorFunc(ctx, r.received, r.receiveFailed); err != nil {
		r.Close()
		return nil, fmt.Errorf("queue %d: %w", cfg.Num, err)
	}
	if err := r.letCome(cfg.CopyRange); err != nil {
		r.Close()
		return nil, fmt.Errorf("queue %d: %w", cfg.Num, err)
	}
	return r, nil
}

// letCome asks for packets, now that they are read: at most size bytes of each.
func (r *Reader) letCome(size uint32) error {
	const nfqaCfgParams = 2
	e := netlink.NewAttributeEncoder()
	e.Bytes(nfqaCfgParams, append(binary.BigEndian.AppendUint32(nil, size), nfqueue.NfQnlCopyPacket))
	return r.send(msgConfig, e)
}

// Run handles packets until ctx ends, and then closes the Reader.
func (r *Reader) Run(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-r.failed:
		err = fmt.Errorf("queue %d: %w", r.cfg.Num, err)
	}
	return errors.Join(err, r.Close())
}

// Close gives the queue back: the kernel drops the packets that still wait; what
// comes later goes the way of a queue without a reader. No packet is being handled
// when it returns.
func (r *Reader) Close() error {
	r.cancel()
	return r.nfq.Close()
}

// Num returns the number of the queue.
func (r *Reader) Num() uint16 { return r.cfg.Num }

// First reports whether the queue gets packets of unconfirmed entries.
func (r *Reader) First() bool { return r.cfg.First }

// SetFailOpen changes what becomes of packets that find the queue full.
func (r *Reader) SetFailOpen(open bool) error {
	const nfqaCfgMask, nfqaCfgFlags = 4, 5
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	flags := uint32(0)
	if open {
		flags = nfqueue.NfQaCfgFlagFailOpen
	}
	e.Uint32(nfqaCfgFlags, flags)
	e.Uint32(nfqaCfgMask, nfqueue.NfQaCfgFlagFailOpen)
	return r.send(msgConfig, e)
}

// Counters returns the counters.
func (r *Reader) Counters() Counters {
	return Counters{
		Packets: r.packets.Load(), Unreadable: r.unreadable.Load(), Panics: r.panics.Load(),
		VerdictErrors: r.verdictErrors.Load(), Overruns: r.overruns.Load(), ReadErrors: r.readErrors.Load(),
	}
}

// received handles one message; it always returns 0, go on.
func (r *Reader) received(a nfqueue.Attribute) int {
	if a.PacketID == nil {
		r.unreadable.Add(1)
		return 0
	}
	verdict := Accept
	if r.packet.fill(&a, r.cfg.Source, &r.flow) {
		verdict = r.handle()
	} else {
		r.unreadable.Add(1)
	}
	r.packets.Add(1)
	if err := r.answer(*a.PacketID, verdict); err != nil {
		r.verdictErrors.Add(1)
	}
	return 0
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

func (r *Reader) answer(id uint32, v Verdict) error {
	switch {
	case v == Accept || r.cfg.FinishMark == 0:
		return r.nfq.SetVerdict(id, nfqueue.NfAccept)
	case r.cfg.Source == ByConntrack:
		return r.answerConntrack(id)
	}
	return r.nfq.SetVerdictWithOption(id, nfqueue.NfAccept, r.finish...)
}

// answerConntrack accepts a packet and sets bits of its conntrack mark. The
// library can only replace the whole mark, which is not ours.
func (r *Reader) answerConntrack(id uint32) error {
	const (
		nfqaVerdictHdr = 2
		nfqaCt         = 11
		ctaMark        = 8
		ctaMarkMask    = 21
	)
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	e.Bytes(nfqaVerdictHdr, binary.BigEndian.AppendUint32([]byte{0, 0, 0, nfqueue.NfAccept}, id))
	e.Nested(nfqaCt, func(e *netlink.AttributeEncoder) error {
		e.Uint32(ctaMark, r.cfg.FinishMark)
		e.Uint32(ctaMarkMask, r.cfg.FinishMark)
		return nil
	})
	return r.send(msgVerdict, e)
}

// Messages of the nfqueue protocol.
const (
	msgVerdict = 1
	msgConfig  = 2
)

// send sends a message that asks for no answer: the reading goroutine would get
// it.
func (r *Reader) send(msg netlink.HeaderType, e *netlink.AttributeEncoder) error {
	attrs, err := e.Encode()
	if err != nil {
		return err
	}
	_, err = r.nfq.Con.Send(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_QUEUE<<8 | msg, Flags: netlink.Request},
		Data:   append([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, byte(r.cfg.Num >> 8), byte(r.cfg.Num)}, attrs...),
	})
	return err
}

// receiveFailed returns 0 to go on reading.
func (r *Reader) receiveFailed(err error) int {
	var oe *netlink.OpError
	switch {
	case errors.Is(err, unix.ENOBUFS):
		r.overruns.Add(1)
		return 0
	case errors.As(err, &oe) && oe.Sequence != 0: // an answer to a verdict
		r.verdictErrors.Add(1)
		return 0
	case errors.As(err, &oe) && (oe.Timeout() || oe.Temporary()):
		return 0 // the loop looks at its context
	}
	r.readErrors.Add(1)
	select {
	case r.failed <- err:
	default:
	}
	return 1
}

// setBuffer sets the receive buffer, beyond rmem_max where that is allowed.
func setBuffer(conn *netlink.Conn, bytes int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes); err != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
		}
	})
	return errors.Join(cerr, err)
}
