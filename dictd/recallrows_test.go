// SPDX-License-Identifier: MIT

package dictd

import (
	"hash/maphash"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/lab"
)

func TestChangedRows(t *testing.T) {
	addr, mac := dict.AddrKey(netip.MustParseAddr("10.0.0.9")), mustKey(t, dict.KeyEther, "02:00:00:00:00:09")
	bob, kids := mustKey(t, dict.KeyString, "bob"), mustKey(t, dict.KeyString, "kids")
	seed := maphash.MakeSeed()
	sums := func(table string, rows ...dict.Row) rowSums {
		of := map[dict.Key]rowSum{}
		for i := range rows {
			of[rows[i].Key] = sumRow(seed, &rows[i])
		}
		return rowSums{table: of}
	}
	row := func(key dict.Key, cells ...any) dict.Row {
		r := dict.Row{Key: key}
		for i := 0; i < len(cells); i += 2 {
			r.Cells = append(r.Cells, dict.Cell{Field: cells[i].(string), Value: cells[i+1].(dict.Value)})
		}
		return r
	}
	tv, on, off := dict.MustString("tv"), dict.BoolValue(true), dict.BoolValue(false)
	for _, c := range []struct {
		what        string
		before, now rowSums
		want        string
	}{
		{"the first look", nil, sums(dict.Hosts, row(addr, "host_profile", tv)), ""},
		{"a field comes", sums(dict.Hosts, row(addr)), sums(dict.Hosts, row(addr, "host_profile", tv)), "host 10.0.0.9"},
		{"it goes", sums(dict.Devices, row(mac, "username", tv)), sums(dict.Devices, row(mac)), "device 02:00:00:00:00:09"},
		{"the order", sums(dict.Devices, row(mac, "username", tv, "hostname", tv)), sums(dict.Devices, row(mac, "hostname", tv, "username", tv)), ""},
		{"values change places", sums(dict.Hosts, row(addr, "hostname", tv, "username", dict.MustString("bob"))), sums(dict.Hosts, row(addr, "username", tv, "hostname", dict.MustString("bob"))), "host 10.0.0.9"},
		{"a row goes", sums(dict.Users, row(bob, "usergroups", tv)), sums(dict.Users), "user bob"},
		{"a row comes", sums(dict.Users), sums(dict.Users, row(bob, "usergroups", tv)), "user bob"},
		{"somebody writes of an address", sums(dict.Hosts), sums(dict.Hosts, row(addr, "blocked", on)), "host 10.0.0.9"},
		{"somebody is found", sums(dict.Hosts), sums(dict.Hosts, row(addr, "mac_address", dict.EtherValue([6]byte{2}))), ""},
		{"he takes another's place", sums(dict.Hosts, row(addr, "mac_address", dict.EtherValue([6]byte{4}))), sums(dict.Hosts, row(addr, "mac_address", dict.EtherValue([6]byte{2}))), "host 10.0.0.9"},
		{"a budget", sums(dict.Groups, row(kids, "quota_remaining", dict.Int64Value(2))), sums(dict.Groups, row(kids, "quota_remaining", dict.Int64Value(1), "quota_tv_exceeded", on)), ""},
		{"a budget and more", sums(dict.Groups, row(kids, "quota_remaining", dict.Int64Value(2))), sums(dict.Groups, row(kids, "quota_remaining", dict.Int64Value(1), "blocked", on)), "group kids"},
		{"kept off", sums(dict.Hosts, row(addr)), sums(dict.Hosts, row(addr, "no_offload", on)), "host 10.0.0.9"},
		{"not kept off", sums(dict.Hosts, row(addr)), sums(dict.Hosts, row(addr, "no_offload", off)), ""},
		{"another application", sums(dict.Sessions, row(dict.CtID(7), "application", tv)), sums(dict.Sessions, row(dict.CtID(7), "application", dict.MustString("dns"))), "ct 7"},
		{"a rate", sums(dict.Sessions, row(dict.CtID(7), "application", tv)), sums(dict.Sessions, row(dict.CtID(7), "application", tv, "byte_rate", dict.Int64Value(8))), ""},
		{"the row of a connection goes", sums(dict.Sessions, row(dict.CtID(7), "application", tv)), sums(dict.Sessions, row(dict.CtID(7))), "ct 7"},
		{"a connection goes into a flowtable", sums(dict.Sessions), sums(dict.Sessions, row(dict.CtID(7), "application", tv)), ""},
		{"it comes out", sums(dict.Sessions, row(dict.CtID(7), "application", tv)), sums(dict.Sessions), ""},
	} {
		var got []string
		for _, w := range changedRows(c.before, c.now) {
			got = append(got, w.String())
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

func mustKey(t *testing.T, kind dict.KeyType, text string) dict.Key {
	t.Helper()
	k, err := dict.ParseKey(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// late is a way of taking connections back, while which another connection goes into
// the flowtable: as of a packet that was at rules when these were changed.
type late struct{ f func() }

func (l *late) Recall(ids []uint32) ([]uint32, error) {
	if f := l.f; f != nil {
		l.f = nil
		f()
	}
	return ids, nil
}

// What somebody writes into a row, and what comes into the flowtable while all is
// looked at: by way of the backend that makes entries anew, as the other does not look.
func TestRecallRows(t *testing.T) {
	l := offloading(t)
	on := openEBPF(t, l.Gateway)
	site, _ := l.Site("example.org")
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	k := newTalker(t, l, site, 7777)
	k.talk(4, func(int) int { return 100 })
	four, six := connectTo(t, l, site.Addr4, 7777), connectTo(t, l, site.Addr6, 7777)
	fast := func(conn net.Conn) bool {
		t.Helper()
		f, err := d.account.kernel.Lookup(conntrack.NewTuple(6, conn.LocalAddr().(*net.TCPAddr).AddrPort(), conn.RemoteAddr().(*net.TCPAddr).AddrPort()), 0)
		if err != nil {
			t.Fatal(err)
		}
		return f.Offloaded()
	}
	into := func(conn net.Conn) {
		t.Helper()
		eventually(t, "it is in the flowtable", func() bool { write(t, conn, 5000); return fast(conn) })
	}
	// Until all is written, and seen, that is found out of a host.
	time.Sleep(2 * rowsEvery)
	into(four)
	into(six)
	time.Sleep(rowsEvery) // nothing happens to them
	if !fast(four) || !fast(six) {
		t.Error("they are taken back without a reason")
	}
	begin := time.Now()
	if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: "host_profile", Value: dict.MustString("kept")}}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is taken back", func() bool { return !fast(four) })
	t.Logf("taken back %v after its row was written", time.Since(begin))
	if !fast(six) {
		t.Error("another host's is taken back, too")
	}

	d.recall.mu.Lock()
	d.recall.ways = append(offload.Recallers{&late{func() { into(four) }}}, d.recall.ways...)
	d.recall.mu.Unlock()
	if n, err := d.Recall(offload.Whom{Kind: offload.All}); err != nil || n == 0 {
		t.Errorf("%d are taken back: %v", n, err)
	}
	eventually(t, "one that came late is taken back", func() bool { return !fast(four) })
}
