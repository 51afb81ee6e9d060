// SPDX-License-Identifier: MIT

package dictd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

// moves are connections that dictd's flowtable carries while the world around them
// changes:
//
//	              lan0.7            wan0
//	client eth0 ---------- gateway ------ eth0 internet
//	              lan0.8            wan1  eth1
type moves struct {
	*testing.T
	l       *lab.Lab
	d       *running
	kind    string // of the backend
	store   dict.Store
	port    uint16 // of the server, as the client knows it
	get     func()
	close   func() error // ends the connection
	address string       // of the gateway towards the client
}

// TestOffloadMoves: a connection in the flowtable follows a route to another device and
// its client into another VLAN, is translated, is recalled with its ports, and ends in its
// time; and the bill is what the client has sent and received, to the byte.
func TestOffloadMoves(t *testing.T) {
	long(t)
	offloadedBy(t, func(t *testing.T, l *lab.Lab, on *backend.Backend) {
		m := &moves{T: t, l: l, kind: on.Kind, store: on.Store, address: lab.GatewayLAN4.String() + "/24", port: 443}
		m.whole(l.Client, "eth0")
		m.whole(l.Internet, "eth0")
		for _, ns := range []*lab.Namespace{l.Client, l.Internet} { // what arrives: what is sent may be cut on its way
			m.seen(ns, "pre", "prerouting", "iif != lo")
		}
		m.d = startOn(t, l.Gateway, on, func(c *config.Config) { c.Offload.Enable, c.Ledger.Period = true, 0.5 })
		m.get = m.open(4, "https://www.youtube.com/")
		m.fast("it is in the flowtable")
		m.route()
		m.vlan()
		m.translated()
		m.ages()
		var differs [2]int64
		defer func() { t.Logf("%d bytes more arrived than were billed, out and in", differs) }()
		eventually(t, "the ledger has what arrived", func() bool {
			sum := sums(t, m.d.account.Ledger)
			differs = [2]int64{int64(m.arrived(l.Internet) - sum.Out.Bytes), int64(m.arrived(l.Client) - sum.In.Bytes)}
			return differs == [2]int64{}
		})
		if s := m.d.account.Stats(); s.Offloaded.Reply == 0 {
			t.Errorf("nothing went past the rules: %+v", s)
		}
		m.kept()
	})
}

// seen counts, for arrived, what passes by a hook under a condition.
func (m *moves) seen(at *lab.Namespace, chain, hook, condition string) {
	m.Helper()
	run(m.T, at, "nft", fmt.Sprintf("add table inet seen; add counter inet seen n; add chain inet seen %s { type filter hook %s priority 0; }; add rule inet seen %[1]s %[3]s meta l4proto { tcp, udp } counter name n", chain, hook, condition))
}

// arrived returns the bytes that have come somewhere.
func (m *moves) arrived(at *lab.Namespace) uint64 {
	m.Helper()
	n, err := strconv.ParseUint(regexp.MustCompile(`bytes (\d+)`).FindStringSubmatch(run(m.T, at, "nft", "list", "counter", "inet", "seen", "n"))[1], 10, 64)
	if err != nil {
		m.Fatal(err)
	}
	return n
}

// entry returns the youngest connection to the port, a zero one if there is none.
func (m *moves) entry() (found conntrack.Flow) {
	m.Helper()
	if err := m.d.account.kernel.Dump(func(f *conntrack.Flow) {
		if f.Orig.DstPort == m.port && f.Orig.Src() == lab.Client4 && f.Start >= found.Start {
			found = *f
		}
	}); err != nil {
		m.Fatal(err)
	}
	return found
}

// fast waits until the connection is in the flowtable.
func (m *moves) fast(what string) {
	m.Helper()
	eventually(m.T, what, func() bool { m.get(); f := m.entry(); return f.Offloaded() })
}

// open opens a page whose connection stays open, over IPv4 until the next; a busy machine may be slow to find names.
func (m *moves) open(family int, url string) (get func()) {
	m.Helper()
	b := m.l.Browser()
	b.Family, b.Timeout = family, patience
	v, err := b.Open(url)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { v.Close() })
	if family == 4 {
		if m.close != nil {
			_ = m.close()
		}
		m.close = v.Close
	}
	eventually(m.T, "the first answer", func() bool { _, err = v.Get(m.Context(), ""); return err == nil })
	return func() {
		m.Helper()
		if _, err := v.Get(m.Context(), ""); err != nil {
			m.Fatal(err)
		}
	}
}

// ip has one ip(8) do all that the lines say, in which there may be more than one line.
func (m *moves) ip(ns *lab.Namespace, lines ...string) {
	m.Helper()
	file := filepath.Join(m.TempDir(), "lines")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		m.Fatal(err)
	}
	run(m.T, ns, "ip", "-batch", file)
}

// whole has packets that leave by a device be what they are on a wire.
func (m *moves) whole(ns *lab.Namespace, device string) {
	m.Helper()
	run(m.T, ns, "ethtool", "-K", device, "gro", "off", "gso", "off", "tso", "off")
}

// received returns the packets that a device has received.
func received(t *testing.T, ns *lab.Namespace, device string) uint64 {
	t.Helper()
	h, err := ns.Netlink()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var link netlink.Link
	if link, err = h.LinkByName(device); err != nil {
		t.Fatal(err)
	}
	return link.Attrs().Statistics.RxPackets
}

// route gives the way to the server another device.
func (m *moves) route() {
	m.Helper()
	m.ip(m.l.Gateway, "link add wan1 type veth peer name eth1 netns "+m.l.Internet.Path(), "address add 192.0.3.1/24 dev wan1", "link set wan1 up")
	m.ip(m.l.Internet, "address add 192.0.3.2/24 dev eth1", "link set eth1 up", "route add "+lab.Client4.String()+" via 192.0.3.1")
	m.whole(m.l.Internet, "eth1")
	eventually(m.T, "the device is in the flowtable", func() bool { return len(m.d.Status().Offload.Devices) == 3 })
	site, _ := m.l.Site("www.youtube.com")
	m.ip(m.l.Gateway, "route add "+site.Addr4.String()+" via 192.0.3.2")
	before := received(m.T, m.l.Internet, "eth1")
	m.get()
	if received(m.T, m.l.Internet, "eth1") == before {
		m.Error("it does not follow the route")
	}
	m.fast("it is in the flowtable by the other device")
	before = received(m.T, m.l.Internet, "eth0")
	m.get()
	if n := received(m.T, m.l.Internet, "eth0") - before; n > 1 { // a neighbour may be asked for
		m.Errorf("%d packets go the way of before", n)
	}
}

// vlan moves the client into a VLAN, and on into another.
func (m *moves) vlan() {
	m.Helper()
	own := lab.Client4.String() + "/24"
	seen := func() string {
		row, err := m.store.Get(dict.Hosts, dict.AddrKey(lab.Client4))
		if err != nil {
			return ""
		}
		return value(row, "interface")
	}
	from := [2]string{"lan0", "eth0"}
	for _, id := range []string{"7", "8"} {
		to := [2]string{"lan0." + id, "eth0." + id}
		move := func(i int, address string) []string {
			return []string{
				"link add link " + to[i][:4] + " name " + to[i] + " type vlan id " + id, "address del " + address + " dev " + from[i],
				"link set " + to[i] + " up", "address add " + address + " dev " + to[i],
			}
		}
		m.ip(m.l.Gateway, move(0, m.address)...)
		m.ip(m.l.Client, append(move(1, own), "route replace default via "+lab.GatewayLAN4.String())...)
		m.whole(m.l.Client, to[1])
		from = to
		m.fast("it follows its client into VLAN " + id)
		eventually(m.T, "the client is seen there", func() bool { m.get(); return seen() == to[0] }) // then it is taken back once more
	}
}

// translated has a connection whose both ends are translated, and recalls it.
func (m *moves) translated() {
	m.Helper()
	site, _ := m.l.Site("www.youtube.com")
	run(m.T, m.l.Gateway, "nft", `table ip nat {
		chain pre { type nat hook prerouting priority -100; tcp dport 8443 dnat to `+site.Addr4.String()+`:443; }
		chain post { type nat hook postrouting priority 100; tcp dport 443 masquerade to :5000-5009; }
	}`)
	m.port = 8443
	m.get = m.open(4, "https://www.youtube.com:8443/")
	m.fast("a connection with translations is in the flowtable")
	was := m.entry()
	if was.Reply.SrcPort != 443 || was.Reply.DstPort < 5000 || was.Reply.DstPort > 5009 {
		m.Fatalf("it is not translated: %+v", was)
	}
	// With the module it leaves the flowtable, else it has another entry, too. An answer of TCP
	// that comes late may bring it back at once.
	eventually(m.T, "it is out of the flowtable", func() bool {
		was = m.entry()
		n, err := m.d.Recall(offload.Whom{Kind: offload.OfHost, Name: lab.Client4.String()})
		if err != nil || n == 0 {
			m.Errorf("%d are taken back: %v", n, err)
		}
		back := m.entry()
		if back.Orig != was.Orig || (back.ID == was.ID) != (m.kind == backend.Kmod) {
			m.Errorf("taken back it is %+v, was %+v", back, was)
		}
		if back.Offloaded() {
			m.fast("it is in the flowtable once more")
			return false
		}
		return true
	})
	m.fast("it is in the flowtable again")
	if now := m.entry(); now.Reply != was.Reply || now.Orig != was.Orig {
		m.Errorf("it is %+v, was %+v", now, was)
	}
}

// kept has what the configuration and rows keep go the slow way, and the rest not.
func (m *moves) kept() {
	m.Helper()
	m.times("30", "432000")
	c := *m.d.config.Load()
	c.Offload.Follow = true
	c.Offload.Keep.Users, c.Offload.Keep.Marks = []string{"b*"}, []string{"0x10/0xf0"}
	if err := m.d.Reload(c); err != nil {
		m.Fatal(err)
	}
	// On eBPF packets on their way while an entry is made anew may be translated anew.
	run(m.T, m.l.Gateway, "nft", "delete", "table", "ip", "nat")
	m.port = 443
	m.get = m.open(4, "https://www.youtube.com/")
	other := m.open(6, "https://www.youtube.com/")
	put := func(user string) func() {
		return func() {
			row := dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: "username", Value: dict.MustString(user)}}}
			if err := m.store.Put(dict.Hosts, row); err != nil {
				m.Fatal(err)
			}
		}
	}
	mark := func(mark string) func() {
		return func() {
			run(m.T, m.l.Gateway, "nft", "add table ip marks; delete table ip marks; table ip marks { chain f { type filter hook forward priority 0; meta mark set "+mark+"; }; }")
		}
	}
	for _, c := range []struct {
		what string
		do   func()
		fast bool
	}{
		{"of a user that is kept", put("bob"), false}, {"of another user", put("al"), true},
		{"with a mark that is kept", mark("0x13"), false}, {"with another mark", mark("0x23"), true},
	} {
		c.do()
		eventually(m.T, c.what, func() bool {
			m.get()
			other()
			if f := m.entry(); f.Offloaded() != c.fast {
				return false
			}
			n := inFlowtable(m.T, m.l, 443)
			return c.fast && n == 2 || !c.fast && n == 1
		})
		if c.fast {
			continue
		}
		for range 3 {
			m.get()
			if f := m.entry(); f.Offloaded() {
				m.Errorf("%s: it is in the flowtable", c.what)
			}
		}
	}
}

// times sets how long connections of TCP live without packets, in a flowtable and after it.
func (m *moves) times(inside, outside string) {
	m.Helper()
	for name, seconds := range map[string]string{"nf_flowtable_tcp_timeout": inside, "nf_conntrack_tcp_timeout_established": outside} {
		if err := m.l.Gateway.Sysctl("net.netfilter."+name, seconds); err != nil {
			m.Fatal(err)
		}
	}
}

// ages lets a connection be silent: it leaves the flowtable, and then its entry ends, each
// some seconds later. Without the times that are set here it takes 30 s and five days.
func (m *moves) ages() {
	m.Helper()
	c := *m.d.config.Load()
	c.Offload.Follow = false // the rules that translate were just changed
	if err := m.d.Reload(c); err != nil {
		m.Fatal(err)
	}
	m.times("1", "6")
	var was conntrack.Flow
	var begin time.Time
	var left time.Duration
	eventually(m.T, "it is in the flowtable for as long as it may be silent there, and leaves it", func() bool {
		begin = time.Now()
		m.get()
		was = m.entry()
		for f := was; f.Offloaded() && left < 10*time.Second; time.Sleep(10 * time.Millisecond) {
			var err error
			if f, err = m.d.account.kernel.Lookup(was.Orig, 0); err != nil {
				m.Fatalf("its entry is gone before it has left the flowtable: %v", err)
			}
			left = time.Since(begin)
		}
		return was.Offloaded() && left > 900*time.Millisecond // else something else has taken it
	})
	eventually(m.T, "its entry ends", func() bool {
		_, err := m.d.account.kernel.Lookup(was.Orig, 0)
		return errors.Is(err, conntrack.ErrNotFound)
	})
	gone := time.Since(begin)
	m.Logf("out of the flowtable after %v, gone after %v", left, gone)
	if left > 10*time.Second || gone > 20*time.Second {
		m.Errorf("out of the flowtable, where it has 1 s, after %v; gone, with 5 s more, after %v", left, gone)
	}
}
