// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/rules"
	"nftdict/dictd/session"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// A connection of which one end alone says something, and nothing that is known: what the
// other sends carries nothing, so it is not queued, and counts. When rules queue no more of
// it, its row says that it is settled, and a flowtable takes it.
func TestOnlyOneEndSpeaks(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Sessions.Packets = true, 16 })
		site, _ := l.Site("example.org")
		server := netip.AddrPortFrom(site.Addr4, 9999)
		listen(t, l, server)
		conn, err := l.Client.Dial(t.Context(), "tcp", server.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const few = 12 // segments, of which each is answered
		for range few {
			write(t, conn, 20)
			time.Sleep(20 * time.Millisecond)
		}
		f, err := lookUp(d, conn)
		if err != nil {
			t.Fatal(err)
		}
		if n := f.Counters[0].Packets + f.Counters[1].Packets; n <= 16 {
			t.Fatalf("conntrack counts %d packets", n)
		}
		goesOn := func(f func() bool) func() bool {
			return func() bool {
				write(t, conn, 20)
				time.Sleep(200 * time.Millisecond)
				return f()
			}
		}
		eventually(t, "its row says that it is settled", goesOn(func() bool {
			return len(rows(t, on.Store, map[string]string{"server_port": "9999", "final": "true", "bypass_packetd": "true"})) == 1
		}))
		if s := d.Status().Sessions; s.GivenUp != 1 {
			t.Errorf("%d are given up", s.GivenUp)
		}
		if rules.ProbeFlowtable(l.Gateway.FD()) == nil && on.Compiler != nil {
			eventually(t, "it is in the flowtable", goesOn(func() bool { return inFlowtable(t, l, 9999) == 1 }))
		}
	})
}

// givenUp has a session of an entry that was there before given up past its packets, and
// returns its row.
func givenUp(t *testing.T, cells ...dict.Cell) (*worker, *dicttest.Mem, dict.Row) {
	t.Helper()
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 100)
	f := conntrack.Flow{ID: 7, Orig: conntrack.NewTuple(classifier.ProtoTCP, client, server), Counters: [2]conntrack.Counter{{Packets: 100}, {}}}
	f.Reply = f.Orig.Reverse()
	passed := func() bool { return true }
	w.table = session.New(session.Config{
		Kernel: oldKernel{flow: f}, Rows: w.record, Limit: 100, Now: time.Now(),
		Most: func() uint64 { return 64 }, Fence: func() func() bool { return passed },
	})
	row := dict.Row{Key: dict.CtID(7), Cells: cells}
	if err := store.Put(dict.Sessions, row); err != nil {
		t.Fatal(err)
	}
	says := session.SaysOf(&row)
	if err := w.table.Reconcile(time.Now(), map[uint32]struct{}{7: {}}, func(*conntrack.Flow) (bool, session.Says) { return true, says }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.table.Past(&f)
		w.table.Expire(time.Now())
	}
	row, err := store.Get(dict.Sessions, dict.CtID(7))
	if err != nil {
		t.Fatal(err)
	}
	return w, store, row
}

// Of what an earlier daemon knew of the client nothing stays for want of a packet when
// another is known.
func TestGivenUpFromBefore(t *testing.T) {
	w, store, row := givenUp(t, dict.Cell{Field: "username", Value: dict.MustString("al")}, dict.Cell{Field: "application", Value: dict.MustString("NETFLIX")})
	if value(row, "bypass_packetd") != "true" || value(row, "final") != "true" || value(row, "username") != "al" || value(row, "application") != "NETFLIX" {
		t.Errorf("%v", row)
	}
	identify(w, client.Addr(), &session.Client{Hostname: "laptop"})
	wantClient(t, store, 7, session.Client{Hostname: "laptop"})
}

// Whoever asks for more packets of a connection gets them, and who says that he needs none
// is not written over.
func TestWanted(t *testing.T) {
	for name, c := range map[string]struct {
		cells []dict.Cell
		final string
	}{
		"asked for": {[]dict.Cell{{Field: "bypass_packetd", Value: dict.BoolValue(false)}}, ""},
		"finished":  {[]dict.Cell{{Field: "bypass_packetd", Value: dict.BoolValue(true)}}, ""},
		"neither":   {[]dict.Cell{{Field: "application", Value: dict.MustString("X")}}, "true"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, row := givenUp(t, c.cells...); value(row, "final") != c.final {
				t.Errorf("%v", row)
			}
		})
	}
	store := dicttest.NewStandard(t)
	r := newRecorder(store)
	if r.Wanted(7) {
		t.Error("nobody asks, since there is no row")
	}
	mustPut(t, store, dict.Sessions, dict.CtID(7), "bypass_packetd", dict.BoolValue(false))
	if !r.Wanted(7) {
		t.Error("somebody asks")
	}
	mustPut(t, store, dict.Sessions, dict.CtID(7), "bypass_packetd", dict.BoolValue(true))
	if r.Wanted(7) {
		t.Error("nobody asks")
	}
	r.store = unread{store}
	if !r.Wanted(7) {
		t.Error("nothing is known")
	}
}

// unread is a store whose rows cannot be read.
type unread struct{ dict.Store }

func (unread) Get(string, dict.Key) (dict.Row, error) { return dict.Row{}, errors.New("not now") }

// queueAt is a queue that has passed some fences.
type queueAt struct {
	set, passed uint32
	err         error
}

func (q *queueAt) Fence() (uint32, error)   { q.set++; return q.set, q.err }
func (q *queueAt) Passed(fence uint32) bool { return q.passed >= fence }

// All queues have to be through.
func TestFenceOf(t *testing.T) {
	a, b := new(queueAt), new(queueAt)
	passed := fenceOf([]*queueAt{a, b})
	for _, c := range []struct {
		a, b uint32
		want bool
	}{{0, 0, false}, {1, 0, false}, {0, 1, false}, {1, 1, true}} {
		if a.passed, b.passed = c.a, c.b; passed() != c.want {
			t.Errorf("%+v: %v", c, passed())
		}
	}
	b.err = errors.New("it is full")
	passed = fenceOf([]*queueAt{a, b})
	if a.passed, b.passed = 2, 2; passed() {
		t.Error("a fence that could not be set is passed")
	}
}

// listen has a server at an address that hears, acknowledges at once, and says nothing.
func listen(t *testing.T, l *lab.Lab, at netip.AddrPort) {
	t.Helper()
	serveOne(t, l, at, func(conn net.Conn) {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		for err == nil {
			if cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) }); err == nil && cerr == nil {
				_, err = io.ReadAtLeast(conn, make([]byte, 20), 1)
			}
		}
	})
}
