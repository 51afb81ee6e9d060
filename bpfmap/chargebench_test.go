// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	vnl "github.com/vishvananda/netlink"

	"nftdict/bpfmap"
	"nftdict/dict"
	"nftdict/nftext"
)

// toll is a namespace with a user at 127.0.0.1 whose packets over lo pass a
// chain at their way out.
type toll struct {
	*wire
	store *bpfmap.Store
	conn  *net.UDPConn // what sends, and nobody reads
	user  dict.Row     // of the table users, by name
}

func newToll(b *testing.B) *toll {
	needBPF(b)
	t := &toll{wire: &wire{gateway: newNamespace(b)}}
	dir := testDir(b)
	inside(b, t.gateway, func() error {
		lo, err := vnl.LinkByName("lo")
		if err != nil {
			return err
		}
		if err = vnl.LinkSetUp(lo); err != nil {
			return err
		}
		if t.store, err = bpfmap.Open(bpfmap.Options{Dir: dir}); err != nil {
			return err
		}
		listener, err := net.ListenUDP("udp4", &net.UDPAddr{Port: rulePort})
		if err != nil {
			return err
		}
		b.Cleanup(func() { listener.Close() })
		t.conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: clientPort})
		return err
	})
	b.Cleanup(func() { t.store.Close() })
	b.Cleanup(func() { t.conn.Close() })
	for _, table := range dict.Standard(65536) {
		if err := t.store.AddTable(table); err != nil {
			b.Fatal(err)
		}
	}
	key, err := dict.StringKey("alice")
	if err != nil {
		b.Fatal(err)
	}
	left := dict.Cell{Field: "quota_remaining", Value: dict.Int64Value(1 << 50)}
	t.user = dict.Row{Key: key, Cells: []dict.Cell{left}}
	t.put(b, dict.Users, t.user)
	t.put(b, dict.Hosts, dict.Row{
		Key:   dict.AddrKey(netip.MustParseAddr("127.0.0.1")),
		Cells: []dict.Cell{left, {Field: "username", Value: dict.MustString("alice")}},
	})
	run(b, t.gateway, fmt.Sprintf(`table inet t {
		chain out { type filter hook output priority 0; udp dport %d ct mark 0 jump c; }
		chain c { }
	}`, rulePort), "nft", "-f", "-")
	return t
}

func (t *toll) put(b *testing.B, table string, rows ...dict.Row) {
	b.Helper()
	if err := t.store.Put(table, rows...); err != nil {
		b.Fatal(err)
	}
}

// compile returns the expressions of a term.
func (t *toll) compile(b *testing.B, text string) []byte {
	b.Helper()
	term, _, err := nftext.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	bound, err := nftext.Bind(term, t.store)
	if err != nil {
		b.Fatal(err)
	}
	code, err := t.store.Compiler().Compile(target(), bound)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { code.Release() })
	return code.Exprs
}

// only makes a rule, n times, all that is in the chain.
func (t *toll) only(b *testing.B, exprs []byte, n int) {
	b.Helper()
	run(b, t.gateway, "flush chain inet t c", "nft", "-f", "-")
	if n == 0 {
		return
	}
	if err := t.load(b, slices.Repeat([][]byte{exprs}, n)...); err != nil {
		b.Fatal(err)
	}
}

// send sends a packet of the user's nth connection. The error is of the kernel,
// EPERM where a rule drops it.
func (t *toll) send(n int) error {
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), rulePort)
	_, err := t.conn.WriteToUDPAddrPort(make([]byte, payload), to)
	return err
}

// BenchmarkRatioCharge sends packets over lo through chains of rules that match,
// in turns: those that look at a budget, and those that take the packet's length
// from it.
func BenchmarkRatioCharge(b *testing.B) {
	const rules, packets = 50, 500
	t := newToll(b)
	chains := []struct {
		name  string
		exprs []byte
	}{{name: "none"}}
	for name, row := range map[string]string{"host": "dict hosts ip saddr quota_remaining", "user": "dict users dict hosts ip saddr username quota_remaining"} {
		for _, kind := range []string{" > 0", " sub meta length"} {
			chains = append(chains, struct {
				name  string
				exprs []byte
			}{name + kind, t.compile(b, row+kind)})
		}
	}
	least := map[string]time.Duration{}
	for b.Loop() {
		for _, c := range chains {
			n := rules
			if c.exprs == nil {
				n = 0
			}
			t.only(b, c.exprs, n)
			for range 5 {
				began := time.Now()
				for range packets {
					if err := t.send(0); err != nil {
						b.Fatal(err)
					}
				}
				if d := time.Since(began); least[c.name] == 0 || d < least[c.name] {
					least[c.name] = d
				}
			}
		}
	}
	row, err := t.store.Get(dict.Users, t.user.Key)
	if err != nil {
		b.Fatal(err)
	}
	if left, _ := row.Get("quota_remaining"); left.Int64() >= 1<<50 {
		b.Fatalf("nothing was charged: %s is left", left)
	}
	per := func(name string) float64 {
		return float64((least[name] - least["none"]).Nanoseconds()) / packets / rules
	}
	b.ReportMetric(0, "ns/op")
	for _, name := range []string{"host", "user"} {
		match, charge := per(name+" > 0"), per(name+" sub meta length")
		b.ReportMetric(match, name+"-match-ns")
		b.ReportMetric(charge, name+"-charge-ns")
		b.ReportMetric(charge/match, name+"-charge/match")
	}
}
