// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/dictd/session"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The same tuple again, right after its connection was deleted, as another
// application.
func TestReusedTupleIsLearnedAnew(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		startOn(t, l.Gateway, on, nil)
		site, _ := l.Site("www.netflix.com")
		server := netip.AddrPortFrom(site.Addr4, 80)
		sameID := 0
		var before uint32
		for i, host := range []string{"www.netflix.com", "www.youtube.com", "www.facebook.com", "www.google.com", "example.org"} {
			run(t, l.Gateway, "conntrack", "-F")
			conn := fromPort(t, l, 41000, server)
			if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
			eventually(t, "one row of the tuple, saying "+host, func() bool {
				found := rows(t, store, map[string]string{"client_port": "41000"})
				return len(found) == 1 && value(found[0], "application_detail") == host
			})
			row := one(t, store, map[string]string{"client_port": "41000"})
			if id := row.Key.Uint32(); i > 0 && id == before {
				sameID++
			} else {
				before = id
			}
			conn.(*net.TCPConn).SetLinger(0) // the port is free at once
			conn.Close()
		}
		t.Logf("%d of 4 had the id of the one before", sameID)
	})
}

// fromPort connects from a port of the client's.
func fromPort(tb testing.TB, l *lab.Lab, port int, to netip.AddrPort) net.Conn {
	tb.Helper()
	var conn net.Conn
	err := l.Client.Do(func() (err error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{Port: port}, Timeout: 5 * time.Second}
		conn, err = d.Dial("tcp", to.String())
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return conn
}

func TestRejectedFirstPacketExpires(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		r := startOn(t, l.Gateway, on, nil)
		run(t, l.Gateway, "nft", "add table inet other; add chain inet other f { type filter hook forward priority 0; }; add rule inet other f udp dport 443 drop")
		b := l.Browser()
		b.HTTP3, b.Timeout = true, 2*time.Second // the name is asked for within it
		if _, err := b.Get(t.Context(), "https://www.netflix.com/"); err == nil {
			t.Fatal("the rule lets it pass")
		}
		found := rows(t, store, map[string]string{"ip_protocol": "17", "server_port": "443"})
		if len(found) == 0 {
			t.Error("no row at all")
		}
		for _, row := range found {
			if row.TTL > 12*time.Second {
				t.Errorf("the row of a rejected connection lives for %v", row.TTL)
			}
		}
		for _, s := range r.Sessions() {
			if s.Lock() {
				if s.Orig().DstPort == 443 && s.Confirmed() {
					t.Error("a rejected connection is confirmed")
				}
				s.Unlock()
			}
		}
	})
}

func TestRowsOutliveTheDaemonNotTheirConnection(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		r := startOn(t, l.Gateway, on, nil)
		stays, goes := l.Browser(), l.Browser()
		visit, err := stays.Open("https://www.netflix.com/")
		if err != nil {
			t.Fatal(err)
		}
		defer visit.Close()
		if _, err := visit.Get(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if _, err := goes.Get(t.Context(), "https://www.youtube.com/"); err != nil {
			t.Fatal(err)
		}
		netflix := map[string]string{"application": "NETFLIX", "server_port": "443"}
		youtube := map[string]string{"application": "YOUTUBE", "server_port": "443"}
		one(t, store, netflix)
		key := one(t, store, youtube)
		r.stop()
		run(t, l.Gateway, "conntrack", "-D", "-p", "tcp", "--orig-port-src", value(key, "client_port"))

		r = startOn(t, l.Gateway, on, nil)
		one(t, store, netflix)
		if n := len(rows(t, store, youtube)); n != 0 {
			t.Errorf("%d rows of a connection that ended while no daemon ran", n)
		}
		if _, err := visit.Get(t.Context(), ""); err != nil {
			t.Errorf("the connection is broken: %v", err)
		}
		row := one(t, store, netflix)
		run(t, l.Gateway, "conntrack", "-D", "-p", "tcp", "--orig-port-src", value(row, "client_port"))
		eventually(t, "the row goes with its connection", func() bool { return len(rows(t, store, netflix)) == 0 })
		if s := r.Status().Sessions; s.Missed != 0 {
			t.Errorf("sessions %+v", s)
		}
	})
}

// A burst of ends overruns the socket of the events. No row outlives that.
func TestEventLoss(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	store := dicttest.NewStandard(t)
	r := startWith(t, Options{Store: store, Backend: "mem", NetNS: l.Gateway.FD(), EventBuffer: 1}, nil)
	const connections = 300
	for range connections {
		// To where nobody answers: an answer would tell what an event did not.
		conn, err := l.Client.Dial(t.Context(), "udp", netip.AddrPortFrom(lab.DNS4, 9).String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Write(dnsQuery(1, "www", "netflix", "com"))
		conn.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	quiesce(t, r)
	eventually(t, "rows of the burst", func() bool { return len(rows(t, store, nil)) > connections*9/10 }) // ports may come twice
	// Living connections of which nothing was heard are found by a look at the kernel.
	eventually(t, "the rows are no longer provisional", func() bool {
		all := rows(t, store, nil)
		return len(all) > connections*9/10 && !slices.ContainsFunc(all, func(r dict.Row) bool { return r.TTL <= session.Provisional })
	})
	run(t, l.Gateway, "conntrack", "-F")
	if r.Status().Conntrack.Overruns == 0 {
		t.Error("no overrun: this run shows nothing")
	}
	eventually(t, "no row is left but those that die soon", func() bool {
		return !slices.ContainsFunc(rows(t, store, nil), func(r dict.Row) bool { return r.TTL > 2*session.Provisional })
	})
	fetch(t, l, 4, false, "https://www.netflix.com/")
	eventually(t, "what comes later is learned", func() bool {
		return len(rows(t, store, map[string]string{"application": "NETFLIX"})) == 1
	})
}

// quiesce waits until no packet has come for a while.
func quiesce(t *testing.T, r *running) {
	t.Helper()
	var before uint64
	eventually(t, "no more packets", func() bool {
		time.Sleep(100 * time.Millisecond)
		packets := uint64(0)
		for _, q := range r.Status().Queues {
			packets += q.Packets
		}
		quiet := packets == before
		before = packets
		return quiet
	})
}

// A second daemon that finds the table taken leaves the rows of the first alone.
func TestSecondDaemonTouchesNoRows(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	store := dicttest.NewStandard(t)
	first := start(t, l.Gateway, store, nil)
	if !first.Status().Kernel.Owner {
		need.Feature(t, "nft-owner", func() error { return errors.New("no table flags owner and persist") })
	}
	// As of a connection that is not confirmed yet.
	name, err := dict.StringValue("ann")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(dict.Sessions, dict.Row{Key: dict.CtID(6), Cells: []dict.Cell{{Field: "username", Value: name}}}); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Socket, c.State = filepath.Join(t.TempDir(), "dictd.sock"), t.TempDir()
	c.Queues.First += 100
	second, err := New(Options{
		Config: c, Store: store, Backend: "mem", NetNS: l.Gateway.FD(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Run(t.Context()); !errors.Is(err, unix.EPERM) {
		t.Errorf("run: %v", err)
	}
	one(t, store, map[string]string{"username": "ann"})
}
