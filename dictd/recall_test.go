// SPDX-License-Identifier: MIT

package dictd

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// What is taken back goes on by the rules at once, translated as before, with its row
// and under its session; what was not meant stays where it is, and all is billed.
func TestRecall(t *testing.T) {
	offloadingOn(t, recalled)
}

func recalled(t *testing.T, l *lab.Lab, on *backend.Backend) {
	site, _ := l.Site("example.org")
	run(t, l.Gateway, "nft", "add table inet n; add chain inet n post { type nat hook postrouting priority 100; }; add rule inet n post oifname wan0 masquerade")
	w := labtest.NewWire(t, l, ownPort)
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	k := newTalker(t, l, site, 7777)
	out, in := w.Read()
	k.talk(4, func(int) int { return 5000 })
	four, six := connectTo(t, l, site.Addr4, 7777), connectTo(t, l, site.Addr6, 7777)
	find := func(conn net.Conn) conntrack.Flow {
		t.Helper()
		f, err := d.account.kernel.Lookup(conntrack.NewTuple(6, conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()), 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	// They stay there once all is known of their hosts: until then these rows grow, and
	// take them back.
	sent := 0
	since := time.Now()
	eventually(t, "both stay in the flowtable", func() bool {
		write(t, four, 100)
		write(t, six, 100)
		sent += 100
		if f, s := find(four), find(six); !f.Offloaded() || !s.Offloaded() {
			since = time.Now()
		}
		return time.Since(since) > 2*rowsEvery
	})
	write(t, four, 300_000-sent)
	write(t, six, 300_000-sent)
	run(t, l.Gateway, "nft", "flush chain inet fast forward")
	was, other := find(four), find(six)
	before := row(t, on, was.ID)
	if _, ok := before.Get("client_address"); !ok {
		t.Fatalf("row %v", before)
	}
	begin := time.Now()
	n, err := d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Client4.String()})
	t.Logf("%d are taken back in %v, %v", n, time.Since(begin), err)
	if n == 0 || err != nil {
		t.Errorf("%d are taken back: %v", n, err)
	}
	now := find(four)
	if now.Offloaded() || now.Mark != was.Mark || now.Reply != was.Reply {
		t.Errorf("it is %+v, was %+v", now, was)
	}
	after := row(t, on, now.ID)
	for _, c := range before.Cells {
		// Rates are written beside.
		if v, ok := after.Get(c.Field); !ok || v != c.Value && !strings.HasSuffix(c.Field, "_rate") {
			t.Errorf("%s is %v, was %v", c.Field, v, c.Value)
		}
	}
	if now.ID != was.ID {
		if _, err := on.Store.Get(dict.Sessions, dict.CtID(was.ID)); err == nil {
			t.Error("the row of before stays")
		}
	}
	sessions := d.table.Find(now.ID)
	if len(sessions) != 1 || sessions[0].Orig() != was.Orig {
		t.Errorf("sessions of %d: %v", now.ID, sessions)
	}
	if f := find(six); !f.Offloaded() || f.ID != other.ID {
		t.Errorf("another's is %+v, was %+v", f, other)
	}
	write(t, four, 200_000)
	write(t, six, 200_000)
	if f := find(four); f.Offloaded() || f.ID != now.ID || f.State != 3 {
		t.Errorf("it went on as %+v", f)
	}
	for _, conn := range []net.Conn{four, six} {
		_ = conn.(*net.TCPConn).CloseWrite()
		if got, err := io.Copy(io.Discard, conn); err != nil || got != 1_000_000 {
			t.Errorf("%d bytes came back: %v", got, err)
		}
	}
	var differs [2]int64
	eventually(t, "the ledger has what the devices have", func() bool {
		nowOut, nowIn := w.Read()
		sum := sums(t, d.account.Ledger)
		differs = [2]int64{int64(nowOut - out - sum.Out.Bytes), int64(nowIn - in - sum.In.Bytes)}
		return differs == [2]int64{}
	})
	if sum := sums(t, d.account.Ledger); sum.Connections != 6 {
		t.Errorf("%d connections", sum.Connections)
	}
}

// write sends n bytes.
func write(t *testing.T, conn net.Conn, n int) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

// row returns the row of an id.
func row(t *testing.T, on *backend.Backend, id uint32) dict.Row {
	t.Helper()
	r, err := on.Store.Get(dict.Sessions, dict.CtID(id))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
