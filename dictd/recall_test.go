// SPDX-License-Identifier: MIT

package dictd

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/nftables"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
	"nftdict/nftext/rule"
)

// What is taken back goes on by the rules at once, translated as before, with its row
// and under its session; what was not meant stays where it is, and all is billed. The
// module knows those flowtables that a rule with a term fills, and has connections leave
// them in their entries; these are made anew with other flowtables, and on eBPF with all.
func TestRecall(t *testing.T) {
	offloadingOn(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		if on.Kind != backend.Kmod || need.Promised("long") { // TestRecallRows has that with the module
			recalled(t, l, on, false)
		}
	})
	t.Run("kmod, by a term", func(t *testing.T) {
		l := offloading(t)
		recalled(t, l, openKmod(t, l.Gateway), true)
	})
}

func recalled(t *testing.T, l *lab.Lab, on *backend.Backend, term bool) {
	site, _ := l.Site("example.org")
	run(t, l.Gateway, "nft", "add table inet n; add chain inet n post { type nat hook postrouting priority 100; }; add rule inet n post oifname wan0 masquerade")
	w := labtest.NewWire(t, l, ownPort)
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	// filled has the flowtable filled by a rule with a term, as long as which is there the
	// module knows it.
	filled := func(by string) {
		t.Helper()
		forward := &nftables.Chain{Name: "forward", Table: &nftables.Table{Name: "fast", Family: nftables.TableFamilyINet}}
		b := rule.NewBatch(rule.Options{NetNS: l.Gateway.FD(), Schema: on.Store, Compiler: on.Compiler})
		defer b.Close()
		b.Conn().FlushChain(forward)
		b.Add(forward, rule.New(rule.L4Proto().Is(rule.TCP, rule.UDP), rule.Dict(by), rule.Offload("f")))
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if term {
		filled("dict sessions ct id client_address exists")
	}
	k := newTalker(t, l, site, 7777)
	out, in := w.Read()
	k.talk(4, func(int) int { return 5000 })
	four, six := connectTo(t, l, site.Addr4, 7777), connectTo(t, l, site.Addr6, 7777)
	find := func(conn net.Conn) conntrack.Flow { t.Helper(); return entryOf(t, d, conn) }
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
	// By how much the ledger differs from the devices: what was under way when they were
	// taken back then may be in no figure.
	differ := func() [2]int64 {
		nowOut, nowIn := w.Read()
		sum := sums(t, d.account.Ledger)
		return [2]int64{int64(nowOut - out - sum.Out.Bytes), int64(nowIn - in - sum.In.Bytes)}
	}
	lost := differ()
	since = time.Now()
	eventually(t, "the ledger has what has moved", func() bool {
		if now := differ(); now != lost {
			lost, since = now, time.Now()
		}
		return time.Since(since) > 3*time.Second // some of its periods
	})
	if least := int64(sent); lost[0] > least || lost[1] > least {
		t.Errorf("the devices have %d bytes more than the ledger", lost)
	}
	write(t, four, 300_000-sent)
	write(t, six, 300_000-sent)
	if term {
		filled("dict sessions ct id client_address missing") // nothing more goes there
	} else {
		run(t, l.Gateway, "nft", "flush chain inet fast forward")
	}
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
	if (now.ID == was.ID) != term {
		t.Errorf("its id was %d and is %d", was.ID, now.ID)
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
	eventually(t, "the ledger has what the devices have", func() bool { return differ() == lost })
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
