// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"slices"
	"testing"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
)

// Of what a store tells only those rows are looked at, and all where it does not say which.
func TestHearRows(t *testing.T) {
	store := &readRowsOf{dicttest.NewStandard(t), map[string]int{}}
	w := newRowWatch(store, func(func(*conntrack.Flow)) error {
		t.Error("connections are looked for")
		return nil
	})
	h := newHeard(make(chan struct{}, 1))
	hear := func(what string, reads int, want ...string) {
		t.Helper()
		for _, table := range w.tables {
			table.credit = rowsCredit
		}
		before := store.read[dict.Hosts]
		whom, err := w.hear(h.take())
		var got []string
		for _, w := range whom {
			got = append(got, w.String())
		}
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", what, got, err, want)
		}
		if n := store.read[dict.Hosts] - before; n != reads {
			t.Errorf("%s: read %d times, want %d", what, n, reads)
		}
	}
	tell := func(c dict.Change) {
		t.Helper()
		if err := h.tell(c); err != nil {
			t.Error(err)
		}
	}
	put := func(table string, key dict.Key, field string, v dict.Value) {
		t.Helper()
		row := dict.Row{Key: key, Cells: []dict.Cell{{Field: field, Value: v}}}
		if err := store.Put(table, row); err != nil {
			t.Fatal(err)
		}
		tell(dict.Change{Table: table, Row: row})
	}
	host := func(i byte) dict.Key { return dict.AddrKey(netip.AddrFrom4([4]byte{10, 0, 0, i})) }
	text := dict.MustString

	put(dict.Hosts, host(9), "host_profile", text("tv"))
	tell(dict.Change{})
	hear("the first look", 1)
	hear("nothing", 0)
	put(dict.Hosts, host(9), "host_profile", text("games"))
	hear("a row", 0, "host 10.0.0.9")
	hear("it is known now", 0)
	tell(dict.Change{Table: dict.Hosts, Row: dict.Row{Key: host(9), Cells: []dict.Cell{{Field: "host_profile", Value: text("games")}}}})
	hear("it says the same again", 0)
	put(dict.Hosts, host(9), "quota_remaining", dict.Int64Value(7))
	hear("a budget", 0)
	put(dict.Hosts, host(8), "mac_address", dict.EtherValue([6]byte{2}))
	hear("somebody is found", 0, "host 10.0.0.8")
	device := dict.EtherKey([6]byte{2})
	put(dict.Devices, device, "interface", text("lan0"))
	hear("a device is found", 0, "device "+device.String())
	put(dict.Devices, device, "no_offload", dict.BoolValue(true))
	hear("something is told of it", 0, "device "+device.String(), "strangers")
	put(dict.Hosts, host(7), "host_profile", text("tv"))
	if err := store.Delete(dict.Hosts, host(9)); err != nil {
		t.Fatal(err)
	}
	tell(dict.Change{Table: dict.Hosts, Kind: dict.Deleted, Row: dict.Row{Key: host(9)}})
	hear("one comes and one goes", 0, "host 10.0.0.7", "host 10.0.0.9")
	put(dict.Sessions, dict.CtID(7), "application", text("DNS"))
	put(dict.Sessions, dict.CtID(8), "byte_rate", dict.Int64Value(7))
	hear("connections in flowtables", 0, "ct 7")
	for i := range byte(100) {
		put(dict.Hosts, host(100+i), "host_profile", text("tv"))
	}
	var many []string
	for i := range byte(100) {
		many = append(many, "host "+host(100+i).String())
	}
	slices.Sort(many)
	hear("many rows", 1, many...)
	if err := store.Put(dict.Hosts, dict.Row{Key: host(7), Cells: []dict.Cell{{Field: "hostname", Value: text("b")}}}); err != nil {
		t.Fatal(err)
	}
	tell(dict.Change{Table: dict.Hosts})
	hear("what rules have written", 1, "host 10.0.0.7")
	for _, table := range w.tables {
		table.known = nil
	}
	hear("nothing, as at first", 1)
	tell(dict.Change{Table: dict.Sessions})
	hear("some connections", 0, "all")
	tell(dict.Change{})
	hear("anything", 1, "all")
}
