// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"hash/maphash"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/config"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/backend"
	"nftdict/internal/lab"
)

func TestChangedRows(t *testing.T) {
	addr, mac := dict.AddrKey(netip.MustParseAddr("10.0.0.9")), mustKey(t, dict.KeyEther, "02:00:00:00:00:09")
	bob, kids := mustKey(t, dict.KeyString, "bob"), mustKey(t, dict.KeyString, "kids")
	seed := maphash.MakeSeed()
	type sums struct {
		kind offload.WhomKind
		of   map[dict.Key]rowSum
	}
	rows := func(kind offload.WhomKind, rows ...dict.Row) sums {
		of := map[dict.Key]rowSum{}
		for i := range rows {
			of[rows[i].Key] = sumRow(seed, &rows[i])
		}
		return sums{kind, of}
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
		before, now sums
		want        string
	}{
		{"the first look", sums{}, rows(offload.OfHost, row(addr, "host_profile", tv)), ""},
		{"a field comes", rows(offload.OfHost, row(addr)), rows(offload.OfHost, row(addr, "host_profile", tv)), "host 10.0.0.9"},
		{"it goes", rows(offload.OfDevice, row(mac, "username", tv)), rows(offload.OfDevice, row(mac)), "device 02:00:00:00:00:09"},
		{"the order", rows(offload.OfDevice, row(mac, "username", tv, "hostname", tv)), rows(offload.OfDevice, row(mac, "hostname", tv, "username", tv)), ""},
		{"values change places", rows(offload.OfHost, row(addr, "hostname", tv, "username", dict.MustString("bob"))), rows(offload.OfHost, row(addr, "username", tv, "hostname", dict.MustString("bob"))), "host 10.0.0.9"},
		{"a row goes", rows(offload.OfUser, row(bob, "usergroups", tv)), rows(offload.OfUser), "user bob"},
		{"a row comes", rows(offload.OfUser), rows(offload.OfUser, row(bob, "usergroups", tv)), "user bob"},
		{"somebody writes of an address", rows(offload.OfHost), rows(offload.OfHost, row(addr, "blocked", on)), "host 10.0.0.9"},
		{"somebody is found", rows(offload.OfHost), rows(offload.OfHost, row(addr, "mac_address", dict.EtherValue([6]byte{2}))), "host 10.0.0.9"},
		{"a device is found", rows(offload.OfDevice), rows(offload.OfDevice, row(mac, "interface", tv)), "device 02:00:00:00:00:09"},
		{"he takes another's place", rows(offload.OfHost, row(addr, "mac_address", dict.EtherValue([6]byte{4}))), rows(offload.OfHost, row(addr, "mac_address", dict.EtherValue([6]byte{2}))), "host 10.0.0.9"},
		{"a budget", rows(offload.OfGroup, row(kids, "quota_remaining", dict.Int64Value(2))), rows(offload.OfGroup, row(kids, "quota_remaining", dict.Int64Value(1), "quota_tv_exceeded", on)), ""},
		{"a budget and more", rows(offload.OfGroup, row(kids, "quota_remaining", dict.Int64Value(2))), rows(offload.OfGroup, row(kids, "quota_remaining", dict.Int64Value(1), "blocked", on)), "group kids"},
		{"kept off", rows(offload.OfHost, row(addr)), rows(offload.OfHost, row(addr, "no_offload", on)), "host 10.0.0.9"},
		{"not kept off", rows(offload.OfHost, row(addr)), rows(offload.OfHost, row(addr, "no_offload", off)), ""},
		{"another application", rows(offload.OfCt, row(dict.CtID(7), "application", tv)), rows(offload.OfCt, row(dict.CtID(7), "application", dict.MustString("dns"))), "ct 7"},
		{"a rate", rows(offload.OfCt, row(dict.CtID(7), "application", tv)), rows(offload.OfCt, row(dict.CtID(7), "application", tv, "byte_rate", dict.Int64Value(8))), ""},
		{"the row of a connection goes", rows(offload.OfCt, row(dict.CtID(7), "application", tv)), rows(offload.OfCt, row(dict.CtID(7))), "ct 7"},
		{"a connection goes into a flowtable", rows(offload.OfCt), rows(offload.OfCt, row(dict.CtID(7), "application", tv)), ""},
		{"it comes out", rows(offload.OfCt, row(dict.CtID(7), "application", tv)), rows(offload.OfCt), ""},
	} {
		var got []string
		for _, w := range changedRows(c.now.kind, c.before.of, c.now.of) {
			got = append(got, w.String())
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// readRowsOf is a store that counts which tables are read.
type readRowsOf struct {
	*dicttest.Mem
	read map[string]int
}

func (s *readRowsOf) Rows(table string) iter.Seq2[dict.Row, error] {
	s.read[table]++
	return s.Mem.Rows(table)
}

// Tables are read when they have changed, or now and then, and rest as long as they have
// to.
func TestRowWatch(t *testing.T) {
	store := &readRowsOf{dicttest.NewStandard(t), map[string]int{}}
	offloaded := map[uint32]bool{}
	w := newRowWatch(store, func(f func(*conntrack.Flow)) error {
		store.read[dict.Sessions]++
		for id := range offloaded {
			f(&conntrack.Flow{ID: id})
		}
		return nil
	})
	look := func(want ...string) {
		t.Helper()
		for _, table := range w.tables {
			table.credit = rowsCredit
		}
		whom, err := w.look()
		var got []string
		for _, w := range whom {
			got = append(got, w.String())
		}
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	put := func(table string, key dict.Key, field, text string) {
		t.Helper()
		if err := store.Put(table, dict.Row{Key: key, Cells: []dict.Cell{{Field: field, Value: dict.MustString(text)}}}); err != nil {
			t.Fatal(err)
		}
	}
	host := dict.AddrKey(netip.MustParseAddr("10.0.0.9"))
	put(dict.Hosts, host, "host_profile", "tv")
	put(dict.Sessions, dict.CtID(7), "application", "DNS")
	offloaded[7] = true
	look()
	look()
	if n := store.read[dict.Hosts]; n != 1 {
		t.Errorf("read %d times, and nothing has changed", n)
	}
	put(dict.Hosts, host, "host_profile", "games")
	put(dict.Sessions, dict.CtID(7), "application", "NETFLIX")
	put(dict.Sessions, dict.CtID(8), "application", "NETFLIX")
	look("ct 7", "host 10.0.0.9")
	reads := store.read[dict.Users]
	for _, table := range w.tables {
		table.looks = time.Time{}
	}
	look()
	if store.read[dict.Users] != reads+1 {
		t.Error("not read after its time, as what ends by itself asks for")
	}
	for _, table := range w.tables {
		table.credit = -time.Hour
	}
	put(dict.Hosts, host, "host_profile", "tv")
	if whom, err := w.look(); len(whom) > 0 || err != nil {
		t.Errorf("%v while tables rest: %v", whom, err)
	}
	look("host 10.0.0.9")
	// What is found of a device concerns those whose it is, what it is told as well what
	// is behind it.
	device, user := mustKey(t, dict.KeyEther, "02:00:00:00:00:09"), mustKey(t, dict.KeyString, "bob")
	for _, field := range []string{"interface", "mac_address_vendor", "hostname", "device_profile"} {
		put(dict.Devices, device, field, "x")
		look("device " + device.String())
	}
	put(dict.Devices, device, "username", "bob")
	put(dict.Users, user, "usergroups", "kids")
	look("device "+device.String(), "strangers", "strangers", "user bob") // he logs in
	if err := store.Delete(dict.Devices, device, "username"); err != nil {
		t.Fatal(err)
	}
	look("device "+device.String(), "strangers") // he logs out
	if err := store.Delete(dict.Devices, device); err != nil {
		t.Fatal(err)
	}
	look("device " + device.String())
	if err := store.Delete(dict.Users, user); err != nil {
		t.Fatal(err)
	}
	look("strangers", "user bob")
	if err := store.Put(dict.Users, dict.Row{Key: user, Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(1)}}}); err != nil {
		t.Fatal(err)
	}
	look()
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
// looked at: this by way of the backend that makes entries anew, as the other does not look.
func TestRecallRows(t *testing.T) {
	offloadingOn(t, rowsRecalled)
}

func rowsRecalled(t *testing.T, l *lab.Lab, on *backend.Backend) {
	site, _ := l.Site("example.org")
	d := startOn(t, l.Gateway, on, func(c *config.Config) { c.Ledger.Period, c.Reverse.Names = 0.5, "off" })
	k := newTalker(t, l, site, 7777)
	k.talk(4, func(int) int { return 100 })
	four, six := connectTo(t, l, site.Addr4, 7777), connectTo(t, l, site.Addr6, 7777)
	find := func(conn net.Conn) conntrack.Flow { t.Helper(); return entryOf(t, d, conn) }
	fast := func(conn net.Conn) bool { f := find(conn); return f.Offloaded() }
	into := func(conn net.Conn) {
		t.Helper()
		eventually(t, "it is in the flowtable", func() bool { write(t, conn, 5000); return fast(conn) })
	}
	// When all is written, and seen, that is found out of a host, nothing happens to them.
	eventually(t, "they stay", func() bool {
		into(four)
		into(six)
		time.Sleep(rowsEvery)
		return fast(four) && fast(six)
	})
	// Where the machine is slow dictd may still find out something of the other one.
	tries := 0
	eventually(t, "one host's is taken back, and the other's is not", func() bool {
		into(four)
		into(six)
		tries++
		begin := time.Now()
		if err := on.Store.Put(dict.Hosts, dict.Row{Key: dict.AddrKey(lab.Client4), Cells: []dict.Cell{{Field: "host_profile", Value: dict.MustString(fmt.Sprint("kept ", tries))}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is taken back", func() bool { return !fast(four) })
		t.Logf("taken back %v after its row was written", time.Since(begin))
		return fast(six)
	})
	if on.Kind == backend.Kmod {
		// Behind dictd's own way of writing, and before it has looked for the first time
		// since the connection came there.
		into(six)
		id := find(six).ID
		begin := time.Now()
		if err := on.Store.Put(dict.Sessions, dict.Row{Key: dict.CtID(id), Cells: []dict.Cell{{Field: "application", Value: dict.MustString("OTHER")}}}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the connection whose row is written is taken back", func() bool { return !fast(six) })
		t.Logf("taken back %v after its own row was written", time.Since(begin))
		return
	}

	// Of a user whom rows alone know.
	put := func(table string, key dict.Key, field, text string) {
		t.Helper()
		if err := on.Store.Put(table, dict.Row{Key: key, Cells: []dict.Cell{{Field: field, Value: dict.MustString(text)}}}); err != nil {
			t.Fatal(err)
		}
	}
	put(dict.Hosts, dict.AddrKey(lab.Client4), "username", "carl")
	eventually(t, "it stays with its user", func() bool {
		into(four)
		time.Sleep(rowsEvery)
		return fast(four)
	})
	put(dict.Users, mustKey(t, dict.KeyString, "carl"), "usergroups", "kept")
	eventually(t, "it is taken back with its user", func() bool { return !fast(four) })
	if !fast(six) {
		t.Error("another's is taken back, too")
	}

	d.recall.mu.Lock()
	d.recall.ways = append(offload.Recallers{&late{func() { into(four) }}}, d.recall.ways...)
	d.recall.mu.Unlock()
	if n, err := d.Recall(offload.Whom{Kind: offload.All}); err != nil || n == 0 {
		t.Errorf("%d are taken back: %v", n, err)
	}
	eventually(t, "one that came late is taken back", func() bool { return !fast(four) })
}
