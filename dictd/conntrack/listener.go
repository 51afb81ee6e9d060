// SPDX-License-Identifier: MIT

package conntrack

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"nftdict/internal/nowait"
)

// Event is the beginning (confirmation) or the end of a connection. In the
// stream of events of one entry the two take turns.
type Event struct {
	Kind Kind
	Flow Flow
}

// Kind tells the beginning from the end.
type Kind uint8

// The kinds of events.
const (
	New Kind = iota
	Destroy
)

// Config says where and how to listen.
type Config struct {
	NetNS  int // descriptor of the network namespace; 0 means the caller's
	Buffer int // bytes of the socket's receive buffer; 0 means DefaultBuffer
	// Handle is called for each event, one at a time, from Run and Drain. The
	// Event is the Listener's. It must not call the Listener.
	Handle func(*Event)
	// Overrun is called, like Handle, when events were lost or may come late.
	Overrun func()
}

// DefaultBuffer holds the events of some hundred thousand connections.
const DefaultBuffer = 64 << 20

// Events are read some time after the first has come, with those that came meanwhile:
// to be woken for each costs more than to handle it. Who has to know asks by Drain.
const (
	patience = 25 * time.Millisecond
	ample    = 16 << 20 // bytes of a buffer in which a storm of them finds room that long
	storm    = 1024     // so many at once, and the next are not waited for
)

// Listener receives the events of one network namespace.
type Listener struct {
	conn *netlink.Conn
	raw  syscall.RawConn
	bell *bell
	cfg  Config
	// patience is how long events may lie before they are read; 0 where they would
	// not find room.
	patience time.Duration

	mu  sync.Mutex // held while events are read and handled
	buf []byte
	ev  Event

	events    atomic.Uint64
	overruns  atomic.Uint64
	malformed atomic.Uint64
}

// Listen subscribes to the events of a network namespace: all that happens
// after it returned is in the stream. It needs CAP_NET_ADMIN there, and
// net.netfilter.nf_conntrack_events on.
func Listen(cfg Config) (*Listener, error) {
	if cfg.Buffer == 0 {
		cfg.Buffer = DefaultBuffer
	}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, &netlink.Config{NetNS: cfg.NetNS})
	if err != nil {
		return nil, fmt.Errorf("conntrack events: %w", err)
	}
	l := &Listener{conn: conn, cfg: cfg, buf: make([]byte, 64<<10)}
	if err := l.prepare(); err != nil {
		return nil, fmt.Errorf("conntrack events: %w", errors.Join(err, l.Close()))
	}
	return l, nil
}

func (l *Listener) prepare() (err error) {
	if l.raw, err = l.conn.SyscallConn(); err != nil {
		return err
	}
	if err := setBuffer(l.raw, l.cfg.Buffer); err != nil {
		return err
	}
	cerr := l.raw.Control(func(fd uintptr) {
		if n, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil && n >= ample {
			l.patience = patience
		}
		l.bell, err = newBell(int(fd))
	})
	if err = errors.Join(cerr, err); err != nil {
		return err
	}
	// With it an event that finds no room is sent again later, and its entry
	// keeps its memory until then.
	if err := l.conn.SetOption(netlink.BroadcastError, true); err != nil {
		return err
	}
	for _, group := range []uint32{groupNew, groupDestroy} {
		if err := l.conn.JoinGroup(group); err != nil {
			return fmt.Errorf("join group %d: %w", group, err)
		}
	}
	return nil
}

// setBuffer sets the receive buffer beyond rmem_max where that is allowed.
func setBuffer(raw syscall.RawConn, bytes int) error {
	var err error
	cerr := raw.Control(func(fd uintptr) {
		if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bytes); err != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
		}
	})
	if err = errors.Join(cerr, err); err != nil {
		return fmt.Errorf("receive buffer of %d bytes: %w", bytes, err)
	}
	return nil
}

// Run handles events until ctx ends, and then closes the Listener.
func (l *Listener) Run(ctx context.Context) error {
	defer l.Close()
	stop := context.AfterFunc(ctx, l.bell.silence)
	defer stop()
	later := time.NewTimer(0)
	defer later.Stop()
	<-later.C
	for many := false; ; {
		if err := l.bell.wait(); ctx.Err() != nil {
			return l.Drain()
		} else if err != nil {
			return fmt.Errorf("conntrack events: %w", err)
		}
		if l.patience > 0 && !many {
			later.Reset(l.patience)
			select {
			case <-ctx.Done():
				return l.Drain()
			case <-later.C:
			}
		}
		before := l.events.Load()
		if err := l.Drain(); err != nil {
			return err
		}
		many = l.events.Load()-before >= storm
		if err := l.bell.arm(); err != nil {
			return fmt.Errorf("conntrack events: %w", err)
		}
	}
}

// Close releases the socket of a Listener that did not run.
func (l *Listener) Close() error {
	var err error
	if l.bell != nil {
		err = l.bell.close()
	}
	return errors.Join(err, l.conn.Close())
}

// Drain handles all events that the kernel has sent so far. It may be called by
// several goroutines, but not from Handle.
func (l *Listener) Drain() error {
	var failed error
	err := l.raw.Control(func(fd uintptr) { failed = l.drain(int(fd)) })
	if err = errors.Join(failed, err); err != nil {
		return fmt.Errorf("conntrack events: %w", err)
	}
	return nil
}

// drain reads and handles until the socket runs dry.
func (l *Listener) drain(fd int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		n, err := nowait.Receive(fd, l.buf, 0)
		switch {
		case err == nil:
			l.datagram(l.buf[:n])
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.ENOBUFS):
			l.overrun()
		default:
			return err
		}
	}
}

func (l *Listener) datagram(b []byte) {
	_, err := eachMessage(b, func(m message) (bool, error) {
		switch m.typ {
		case msgNew:
			l.ev.Kind = New
		case msgDelete:
			l.ev.Kind = Destroy
		default:
			return true, nil
		}
		if err := m.flow(&l.ev.Flow); err != nil {
			return false, err
		}
		l.events.Add(1)
		l.cfg.Handle(&l.ev)
		return true, nil
	})
	if err != nil {
		l.malformed.Add(1)
		l.cfg.Overrun()
	}
}

func (l *Listener) overrun() {
	l.overruns.Add(1)
	l.cfg.Overrun()
}

// Stats are a Listener's counters.
type Stats struct {
	Events    uint64 // events handled
	Overruns  uint64 // times the kernel found the socket full
	Malformed uint64 // datagrams that could not be read
}

// Stats returns the counters.
func (l *Listener) Stats() Stats {
	return Stats{l.events.Load(), l.overruns.Load(), l.malformed.Load()}
}
