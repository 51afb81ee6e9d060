// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/event"
	"nftdict/dictd/quota"
	"nftdict/dictd/quota/plan"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// A download that dictd's flowtable carries ends with its budget: near the end it is
// taken back, and the rules charge the rest. What belongs to others stays
// in the flowtable.
func TestOffloadedQuotaEnds(t *testing.T) {
	t.Run("ebpf", func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		offloadedQuotaEnds(t, l, openEBPF(t, l.Gateway))
	})
	t.Run("kmod", func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		offloadedQuotaEnds(t, l, openKmod(t, l.Gateway))
	})
}

func offloadedQuotaEnds(t *testing.T, l *lab.Lab, on *backend.Backend) {
	need.Feature(t, "flowtable", func() error {
		return l.Gateway.Command(context.Background(), "nft", "add table inet probe; add flowtable inet probe f { hook ingress priority 0; devices = { lan0, wan0 }; }; delete table inet probe").Run()
	})
	const size, burstBytes = 10_000_000, 60_000
	site, _ := l.Site("example.org")
	w := labtest.NewWire(t, l, ownPort)
	d := startOn(t, l.Gateway, on, func(c *config.Config) {
		c.Ledger.Period, c.Reverse.Names, c.Quota.Near = 0.25, "off", "3MB"
		c.Offload.Enable, c.Offload.Follow = true, false
		c.Plans = []plan.Spec{{Name: "four", For: []string{"host " + lab.Client4.String()}, Volume: "10MB", Period: "none", Then: "reset"}}
	})
	reader := d.happened.Subscribe(d.happened.Position(), event.Of(event.QuotaExceeded))
	defer reader.Close()
	// When they are found what is theirs is taken back once.
	for own, to := range map[netip.Addr]netip.Addr{lab.Client4: site.Addr4, lab.Client6: site.Addr6} {
		run(t, l.Client, "ping", "-c1", "-W5", to.String())
		eventually(t, "the client is known", func() bool {
			_, err := on.Store.Get(dict.Hosts, dict.AddrKey(own))
			return err == nil
		})
	}
	time.Sleep(2 * rowsEvery)
	out, in := w.Read()
	four := stream(t, l, netip.AddrPortFrom(site.Addr4, 7790), burstBytes)
	six := stream(t, l, netip.AddrPortFrom(site.Addr6, 7790), 6_000)
	var was, other conntrack.Flow
	eventually(t, "both are in the flowtable", func() bool {
		was, other = four.flow(t, d), six.flow(t, d)
		return was.Offloaded() && other.Offloaded()
	})
	left := func() int64 {
		row, err := on.Store.Get(dict.Hosts, dict.AddrKey(lab.Client4))
		if err != nil {
			t.Fatal(err)
		}
		v, _ := row.Get("quota_remaining")
		return v.Int64()
	}
	// It may be taken back before, too, as when it is found whose address this is: then it
	// may have its first id again, where that changes.
	var now conntrack.Flow
	eventually(t, "it is taken back", func() bool {
		now = four.flow(t, d)
		row, err := on.Store.Get(dict.Hosts, dict.AddrKey(lab.Client4))
		if err != nil {
			t.Fatal(err)
		}
		near, _ := row.Get(quota.NoOffload)
		return near.Bool() && now.ID != 0 && !now.Offloaded()
	})
	if on.Kind == backend.Kmod && now.ID != was.ID {
		t.Errorf("its id was %d and is %d", was.ID, now.ID)
	}
	var spent, ended time.Time
	eventually(t, "it ends", func() bool {
		if spent.IsZero() && left() <= 0 {
			spent = time.Now()
		}
		at := four.ended.Load()
		if at != nil {
			ended = *at
		}
		return at != nil && !spent.IsZero()
	})
	// At once; what the bytes say below does not depend on how busy a guest is.
	if took := ended.Sub(spent); took > time.Second {
		t.Errorf("it ended %v after its budget", took)
	}
	if f := six.flow(t, d); !f.Offloaded() || f.ID != other.ID {
		t.Errorf("another's is %+v, was %+v", f, other)
	}
	six.conn.Close()
	beside := d.account.Stats().Offloaded
	eventually(t, "all is charged", func() bool { return d.account.Poll() == nil && left() <= 0 })
	nowOut, nowIn := w.Read()
	// Of the other family all is free.
	f := six.flow(t, d)
	moved := int64(nowOut-out+nowIn-in) - int64(f.Counters[0].Bytes+f.Counters[1].Bytes)
	t.Logf("%d bytes of %d moved, %+v of both beside the rules; %d is left; ended after %v", moved, size, beside, left(), ended.Sub(spent))
	// To the packet, but for what passed the rules while the ledger read its two figures
	// of what had gone beside them: conntrack's, and the rules' a moment later.
	if over := -left(); over > burstBytes {
		t.Errorf("%d bytes more than the budget", over)
	}
	if beside.Reply < 2<<20 {
		t.Errorf("beside the rules moved %+v", beside)
	}
}

// serveOne has a server at an address, which handles one connection.
func serveOne(t *testing.T, l *lab.Lab, at netip.AddrPort, handle func(net.Conn)) {
	t.Helper()
	listener, err := l.Internet.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			handle(conn)
		}
	}()
}

// streaming is a download of the client's.
type streaming struct {
	conn  net.Conn
	ended atomic.Pointer[time.Time]
}

// stream downloads without end: some bytes every 20 milliseconds.
func stream(t *testing.T, l *lab.Lab, from netip.AddrPort, bytes int) *streaming {
	t.Helper()
	serveOne(t, l, from, func(conn net.Conn) {
		if _, err := conn.Read(make([]byte, 1000)); err != nil {
			return
		}
		_, err := conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000000\r\n\r\n"))
		for err == nil {
			_, err = conn.Write(make([]byte, bytes))
			time.Sleep(20 * time.Millisecond)
		}
	})
	conn, err := l.Client.Dial(context.Background(), "tcp", from.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &streaming{conn: conn}
	if _, err := s.conn.Write([]byte("GET /film HTTP/1.1\r\nHost: example.org\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			if _, err := s.conn.Read(buf); err != nil {
				now := time.Now()
				s.ended.Store(&now)
				return
			}
		}
	}()
	return s
}

// flow returns its entry, a zero one if there is none.
func (s *streaming) flow(t *testing.T, d *running) conntrack.Flow {
	t.Helper()
	f, err := lookUp(d, s.conn)
	if err != nil && !errors.Is(err, conntrack.ErrNotFound) {
		t.Error(err)
	}
	return f
}
