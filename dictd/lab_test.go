// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net/netip"
	"os"
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
)

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
					lasting := slices.DeleteFunc(rows(t, store, want), func(r dict.Row) bool { return r.TTL != 0 && r.TTL < time.Minute })
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

	// What the rules do not ask for leaves them alone, and the packets on their way.
	c.LogLevel = "debug"
	installed := r.Status().Rules.Installed
	if err := r.Reload(c); err != nil {
		t.Fatal(err)
	}
	if again := r.Status().Rules.Installed; !again.Equal(installed) {
		t.Error("the table was installed again for another log level")
	}

	c.Fail = "closed"
	if err := r.Reload(c); err != nil {
		t.Fatal(err)
	}
	if again := r.Status().Rules.Installed; again.Equal(installed) {
		t.Error("the table was not installed again for another fail")
	}
	fetch(t, l, 4, false, "https://example.org/")
	r.stop()
	b := l.Browser()
	b.Timeout = time.Second
	if _, err := b.Get(t.Context(), "https://example.org/"); err == nil {
		t.Error("fail = closed, and traffic passes without a daemon")
	}
}

// A list of domains in the form of v2fly's, and what a reload makes of it while
// connections come and go.
func TestReloadOfLists(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	store := dicttest.NewStandard(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	domains := filepath.Join(dir, "domains")
	write("domains", "list:shop SHOP shopping\n")
	write("shop", "include:more\nfull:www.netflix.com @ads\n")
	write("more", "# nothing yet\n")
	r := start(t, l.Gateway, store, func(c *config.Config) { c.Domains = domains })
	application := func(url, sni, want string) {
		t.Helper()
		fetch(t, l, 4, false, url)
		eventually(t, sni+" is "+want, func() bool { return len(rows(t, store, map[string]string{"ssl_sni": sni, "application": want})) > 0 })
	}
	application("https://www.netflix.com/", "www.netflix.com", "SHOP")
	application("https://example.org/", "example.org", "TLS")
	write("more", "regexp:^example\\.org$\n")
	if err := r.Reload(*r.config.Load()); err != nil {
		t.Fatal(err)
	}
	application("https://example.org/", "example.org", "SHOP")
	write("more", "include:absent\n")
	if err := r.Reload(*r.config.Load()); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("a list that is not there: %v", err)
	}
	application("https://example.org/", "example.org", "SHOP")
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

// A packet that makes the classifier panic passes and is counted; the rest of its
// connection is not inspected.
func TestPanicEndsTheInspection(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	r := start(t, l.Gateway, dicttest.NewStandard(t), nil)
	site, _ := l.Site("www.netflix.com")
	conn := fromPort(t, l, 43000, netip.AddrPortFrom(site.Addr4, 80))
	defer conn.Close()
	quiesce(t, r)
	good := r.pipeline.classifier.Swap(nil)
	for range 2 {
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: www.netflix.com\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 4096)); err != nil {
			t.Fatalf("no answer: %v", err)
		}
	}
	r.pipeline.classifier.Store(good)
	panics := uint64(0)
	for _, q := range r.Status().Queues {
		panics += q.Panics
	}
	if panics != 1 {
		t.Errorf("%d panics counted, want 1", panics)
	}
	for _, s := range r.Sessions() {
		if s.Lock() {
			if s.Orig().SrcPort == 43000 && !s.Finished {
				t.Error("the session is not finished")
			}
			s.Unlock()
		}
	}
	fetch(t, l, 4, false, "https://www.netflix.com/") // others are
}

// A connection that conntrack has expected has the mark of its master from the first packet
// on, and is looked at all the same.
func TestInheritedMark(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	on := openEBPF(t, l.Gateway)
	startOn(t, l.Gateway, on, nil)
	run(t, l.Gateway, "nft", "add table inet other; add chain inet other p { type filter hook prerouting priority -190; }; add rule inet other p udp dport 443 ct status & confirmed == 0 ct mark set 0x40000000")
	fetch(t, l, 4, true, "https://www.netflix.com/")
	defer func() {
		if t.Failed() {
			t.Log(rows(t, on.Store, nil))
		}
	}()
	eventually(t, "a row", func() bool {
		return len(rows(t, on.Store, map[string]string{"ip_protocol": "17", "server_port": "443", "application": "NETFLIX"})) == 1
	})
}
