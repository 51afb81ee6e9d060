// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The lab's gateway runs the daemon, in this process, on a store in memory:
//
//	client ---- gateway (dictd) ---- internet: servers under many names

// running is a daemon on the lab's gateway.
type running struct {
	*Daemon
	stop func()
}

// start runs a daemon in a namespace until the test ends or stop is called.
func start(tb testing.TB, ns *lab.Namespace, store dict.Store, change func(*config.Config)) *running {
	tb.Helper()
	return startOn(tb, ns, &backend.Backend{Kind: "mem", Store: store}, change)
}

// startOn is start on a backend that may compile rules.
func startOn(tb testing.TB, ns *lab.Namespace, on *backend.Backend, change func(*config.Config)) *running {
	tb.Helper()
	return startWith(tb, Options{Store: on.Store, Compiler: on.Compiler, Backend: on.Kind, NetNS: ns.FD()}, change)
}

// startWith is start with options, which it completes.
func startWith(tb testing.TB, o Options, change func(*config.Config)) *running {
	tb.Helper()
	c := config.Default()
	c.Socket = filepath.Join(tb.TempDir(), "dictd.sock")
	if change != nil {
		change(&c)
	}
	log := io.Discard
	if _, bench := tb.(*testing.B); !bench {
		log = tb.Output()
	}
	ready := make(chan struct{})
	o.Config, o.Ready = c, func() { close(ready) }
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	d, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stopped := false
	r := &running{Daemon: d, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("dictd: %v", err)
		}
	}}
	tb.Cleanup(r.stop)
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		tb.Fatalf("dictd: %v", err)
	case <-time.After(10 * time.Second):
		tb.Fatal("dictd is not ready")
	}
	return r
}

// openEBPF opens the dictionaries of a namespace, which are gone with the test.
func openEBPF(tb testing.TB, ns *lab.Namespace) *backend.Backend {
	tb.Helper()
	var b *backend.Backend
	err := ns.Do(func() (err error) {
		b, err = backend.Open(backend.EBPF, backend.Options{})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		err := b.Store.(interface{ Remove() error }).Remove()
		if err = errors.Join(err, b.Store.Close()); err != nil {
			tb.Errorf("remove the dictionaries: %v", err)
		}
	})
	return b
}

// backends are the stores that a test runs on: one in memory that compiles no
// rules, and the maps of the namespace.
func backends(t *testing.T, f func(*testing.T, *lab.Lab, *backend.Backend)) {
	t.Run("mem", func(t *testing.T) {
		f(t, labtest.New(t, lab.Config{}), &backend.Backend{Kind: "mem", Store: dicttest.NewStandard(t)})
	})
	t.Run("ebpf", func(t *testing.T) {
		l := labtest.New(t, lab.Config{})
		f(t, l, openEBPF(t, l.Gateway))
	})
}

// eventually waits until f returns true.
func eventually(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("in vain: %s", what)
		}
	}
}

// rows returns the rows of sessions that hold the values, as text by field.
func rows(tb testing.TB, s dict.Store, want map[string]string) []dict.Row {
	tb.Helper()
	var found []dict.Row
	for row, err := range s.Rows(dict.Sessions) {
		if err != nil {
			tb.Fatal(err)
		}
		fits := true
		for field, text := range want {
			v, ok := row.Get(field)
			fits = fits && ok && v.String() == text
		}
		if fits {
			found = append(found, row)
		}
	}
	return found
}

// one returns the only row that holds the values.
func one(tb testing.TB, s dict.Store, want map[string]string) dict.Row {
	tb.Helper()
	found := rows(tb, s, want)
	if len(found) != 1 {
		tb.Fatalf("%d rows with %v, want one", len(found), want)
	}
	return found[0]
}

// run runs a program on the gateway.
func run(tb testing.TB, ns *lab.Namespace, name string, args ...string) string {
	tb.Helper()
	path := need.Program(tb, name)
	out, err := ns.Command(context.Background(), path, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// fetch gets a page from the client.
func fetch(tb testing.TB, l *lab.Lab, family int, http3 bool, url string) {
	tb.Helper()
	b := l.Browser()
	b.Family, b.HTTP3 = family, http3
	if _, err := b.Get(context.Background(), url); err != nil {
		tb.Fatalf("IPv%d %s: %v", family, url, err)
	}
}

func TestTrafficIsLearned(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		r := startOn(t, l.Gateway, on, nil)
		for _, family := range []int{4, 6} {
			fetch(t, l, family, false, "https://www.netflix.com/")
			fetch(t, l, family, false, "http://example.org/")
			fetch(t, l, family, true, "https://www.youtube.com/") // its hello spans two datagrams
			for _, want := range []map[string]string{
				{"application": "NETFLIX", "ip_protocol": "6", "ssl_sni": "www.netflix.com"},
				{"application": "HTTP", "application_detail": "example.org"},
				{"application": "YOUTUBE", "ip_protocol": "17", "application_protochain": "IP/UDP/QUIC/YOUTUBE"},
			} {
				want["family"] = fmt.Sprint(family)
				eventually(t, fmt.Sprintf("one lasting row of %v", want), func() bool {
					// What was written under ids that were not confirmed dies soon.
					lasting := slices.DeleteFunc(rows(t, store, want), func(r dict.Row) bool { return r.TTL < time.Minute })
					return len(lasting) == 1
				})
			}
		}
		site, _ := l.Site("www.netflix.com")
		row := one(t, store, map[string]string{"application": "NETFLIX", "family": "4"})
		for field, want := range map[string]string{
			"server_address": site.Addr4.String(), "server_port": "443",
			"client_address_new": value(row, "client_address"), "client_port_new": value(row, "client_port"),
			"server_address_new": site.Addr4.String(), "server_port_new": "443",
			"local_address": value(row, "client_address"), "remote_address": site.Addr4.String(),
			"application_category": "streaming", "server_dns_hint": "www.netflix.com",
			"final": "true", "bypass_packetd": "true", "client_hops": "0", "server_hops": "0",
		} {
			if got := value(row, field); got != want {
				t.Errorf("%s is %q, want %q", field, got, want)
			}
		}
		for _, q := range r.Status().Queues {
			if q.Unreadable+q.Panics+q.VerdictErrors+q.Overruns > 0 {
				t.Errorf("queue %+v", q)
			}
		}
	})
}

func value(row dict.Row, field string) string {
	v, _ := row.Get(field)
	return v.String()
}

// What others write into the marks of packets and connections stays what it is,
// with the daemon running and without.
func TestMarksOfOthers(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		run(t, l.Gateway, "nft", `table inet other {
		chain early { type filter hook prerouting priority -150; meta mark set 0x5; ct state new ct mark set 0x80000007; }
		chain late { type filter hook forward priority 0; meta mark != 0x5 counter name wrong; meta mark 0x5 counter name right; }
		counter wrong { }
		counter right { }
	}`)
		check := func(what, ctMark string) {
			t.Helper()
			fetch(t, l, 4, false, "https://www.netflix.com/")
			fetch(t, l, 6, true, "https://www.netflix.com/")
			if text := run(t, l.Gateway, "nft", "list", "counter", "inet", "other", "wrong"); !strings.Contains(text, "packets 0 ") {
				t.Errorf("%s: packets lost their mark:\n%s", what, text)
			}
			if text := run(t, l.Gateway, "nft", "list", "counter", "inet", "other", "right"); strings.Contains(text, "packets 0 ") {
				t.Errorf("%s: nothing was counted", what)
			}
			if text := run(t, l.Gateway, "conntrack", "-L", "-p", "tcp", "--dport", "443"); !strings.Contains(text, "mark="+ctMark+" ") {
				t.Errorf("%s: want a conntrack mark of %s:\n%s", what, ctMark, text)
			}
			run(t, l.Gateway, "conntrack", "-F")
		}
		r := startOn(t, l.Gateway, on, nil)
		check("daemon running", fmt.Sprint(0xc0000007))
		r.stop()
		check("daemon stopped", fmt.Sprint(0x80000007))
	})
}

// A finished connection does not visit the daemon any more.
func TestFinishedConnectionsPass(t *testing.T) {
	for _, bit := range []uint32{1 << 30, 0} {
		t.Run(fmt.Sprintf("bit %#x", bit), func(t *testing.T) {
			l := labtest.New(t, lab.Config{})
			r := start(t, l.Gateway, dicttest.NewStandard(t), func(c *config.Config) { c.Rules.FinishBit = bit })
			v, err := l.Browser().Open("https://www.netflix.com/")
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			get := func() (visits uint64) {
				if _, err := v.Get(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				for _, q := range r.Status().Queues {
					visits += q.Packets
				}
				return visits
			}
			first := get()
			again := get()
			if visited := again != first; visited != (bit == 0) {
				t.Errorf("%d packets were queued before, %d after the second request", first, again)
			}
		})
	}
}

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
		b.HTTP3, b.Timeout = true, 500*time.Millisecond
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
		conn, err := l.Client.Dial(t.Context(), "udp", netip.AddrPortFrom(lab.DNS4, 53).String())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Write(dnsQuery(1, "www", "netflix", "com"))
		conn.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "rows of the burst", func() bool { return len(rows(t, store, nil)) > connections*9/10 }) // ports may come twice
	run(t, l.Gateway, "conntrack", "-F")
	if r.Status().Conntrack.Overruns == 0 {
		t.Error("no overrun: this run shows nothing")
	}
	eventually(t, "no row is left", func() bool { return len(rows(t, store, nil)) == 0 })
	fetch(t, l, 4, false, "https://www.netflix.com/")
	eventually(t, "what comes later is learned", func() bool {
		return len(rows(t, store, map[string]string{"application": "NETFLIX"})) == 1
	})
}

// Of this machine's own traffic only DNS is looked at.
func TestOwnTraffic(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		startOn(t, l.Gateway, on, nil)
		site, _ := l.Site("example.org")
		run(t, l.Gateway, "curl", "-s", "--max-time", "5", "http://"+site.Addr4.String()+"/")
		run(t, l.Gateway, "dig", "+short", "+tries=1", "@"+lab.DNS4.String(), "www.netflix.com")
		eventually(t, "a row of the query", func() bool {
			return len(rows(t, store, map[string]string{"application": "DNS", "application_detail": "www.netflix.com"})) == 1
		})
		if n := len(rows(t, store, map[string]string{"server_port": "80"})); n != 0 {
			t.Errorf("%d rows of own traffic", n)
		}
		list := run(t, l.Gateway, "conntrack", "-L", "-p", "tcp", "--dport", "80")
		if !strings.Contains(list, fmt.Sprintf("mark=%d ", 1<<30)) {
			t.Errorf("own traffic is not marked:\n%s", list)
		}
	})
}

func TestNATIsWrittenAtConfirmation(t *testing.T) {
	backends(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		store := on.Store
		startOn(t, l.Gateway, on, nil)
		site, _ := l.Site("www.netflix.com")
		other, _ := l.Site("example.org")
		run(t, l.Gateway, "nft", fmt.Sprintf(`table ip nat {
		chain post { type nat hook postrouting priority 100; tcp dport 443 masquerade; }
		chain pre { type nat hook prerouting priority -100; ip daddr %s tcp dport 8443 dnat to %s:443; }
	}`, other.Addr4, site.Addr4))
		conn := fromPort(t, l, 42000, netip.AddrPortFrom(other.Addr4, 8443))
		defer conn.Close()
		if _, err := conn.Write(clientHello(t, "www.netflix.com")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		row := one(t, store, map[string]string{"application": "NETFLIX", "client_port": "42000", "server_port": "8443"})
		if got := value(row, "server_address_new") + ":" + value(row, "server_port_new"); got != site.Addr4.String()+":443" {
			t.Errorf("new server %s", got)
		}
		if value(row, "client_address_new") == value(row, "client_address") {
			t.Error("new client is the old one")
		}
		if value(row, "server_interface_id") == "" || value(row, "final") != "true" {
			t.Errorf("the answers after translation were not understood: %v", row)
		}
	})
}

func TestReload(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	r := start(t, l.Gateway, dicttest.NewStandard(t), nil)
	c := *r.config.Load()

	refused := c
	refused.Queues.First++
	if err := r.Reload(refused); err == nil || !strings.Contains(err.Error(), "start it again") {
		t.Errorf("reload of other queues: %v", err)
	}
	refused = c
	refused.Fail, refused.Domains = "closed", filepath.Join(t.TempDir(), "missing")
	if err := r.Reload(refused); err == nil || r.Status().Fail != "open" {
		t.Errorf("reload with domains that are not there: %v", err)
	}
	fetch(t, l, 4, false, "https://example.org/")

	c.Fail = "closed"
	if err := r.Reload(c); err != nil {
		t.Fatal(err)
	}
	fetch(t, l, 4, false, "https://example.org/")
	r.stop()
	b := l.Browser()
	b.Timeout = time.Second
	if _, err := b.Get(t.Context(), "https://example.org/"); err == nil {
		t.Error("fail = closed, and traffic passes without a daemon")
	}
}

func TestRemoveOnStop(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	for _, remove := range []bool{false, true} {
		r := start(t, l.Gateway, dicttest.NewStandard(t), func(c *config.Config) { c.Rules.Remove = remove })
		r.stop()
		tables := strings.Fields(run(t, l.Gateway, "nft", "list", "tables"))
		if slices.Contains(tables, "dictd") == remove {
			t.Errorf("remove_on_stop = %v: tables %q", remove, tables)
		}
	}
}
