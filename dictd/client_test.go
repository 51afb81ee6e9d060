// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/queue"
	"nftdict/dictd/session"
)

// connect opens a confirmed connection of the client.
func connect(w *worker, id uint32, from netip.AddrPort) {
	w.Handle(&queue.Packet{CtID: id, First: true, Payload: ipPacket(classifier.ProtoTCP, from, server, 1, classifier.FlagSYN, nil)})
	f := conntrack.Flow{ID: id, Orig: conntrack.NewTuple(classifier.ProtoTCP, from, server)}
	f.Reply = f.Orig.Reverse()
	w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: f})
}

// identify says who is behind an address.
func identify(w *worker, addr netip.Addr, who *session.Client) {
	w.table.Identify(map[netip.Addr]*session.Client{addr: who})
}

// wantClient compares the fields of a row that say who the client is.
func wantClient(t *testing.T, s dict.Store, id uint32, want session.Client) {
	t.Helper()
	row, err := s.Get(dict.Sessions, dict.CtID(id))
	if err != nil {
		t.Fatal(err)
	}
	got := session.Client{Hostname: value(row, "client_hostname"), Username: value(row, "username"), Groups: value(row, "usergroups")}
	if got != want {
		t.Errorf("row %d says %+v, want %+v", id, got, want)
	}
}

func TestClientOfSessions(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 100)
	other := netip.MustParseAddrPort("10.0.0.77:1000")
	connect(w, 1, client)
	connect(w, 2, other)
	wantClient(t, store, 1, session.Client{})
	al := session.Client{Hostname: "laptop", Username: "al", Groups: "staff"}
	identify(w, client.Addr(), &al)
	wantClient(t, store, 1, al)
	wantClient(t, store, 2, session.Client{})

	// A connection that begins later says so with its first packet.
	next := netip.AddrPortFrom(client.Addr(), client.Port()+1)
	w.Handle(&queue.Packet{CtID: 3, First: true, Payload: ipPacket(classifier.ProtoTCP, next, server, 1, classifier.FlagSYN, nil)})
	wantClient(t, store, 3, al)
	// One that waits for its confirmation is written then.
	bo := session.Client{Hostname: "laptop", Username: "bo"}
	identify(w, client.Addr(), &bo)
	wantClient(t, store, 1, bo) // no groups of another
	wantClient(t, store, 3, al)
	f := conntrack.Flow{ID: 3, Orig: conntrack.NewTuple(classifier.ProtoTCP, next, server)}
	f.Reply = f.Orig.Reverse()
	w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: f})
	wantClient(t, store, 3, bo)

	// Of one that had several rows until then, the one that stays says no more of
	// the former.
	many := netip.AddrPortFrom(client.Addr(), client.Port()+2)
	first := func(id uint32) {
		w.Handle(&queue.Packet{CtID: id, First: true, Payload: ipPacket(classifier.ProtoUDP, many, server, 0, 0, []byte("?"))})
	}
	identify(w, client.Addr(), &al)
	first(4)
	wantClient(t, store, 4, al)
	identify(w, client.Addr(), &bo)
	first(5)
	wantClient(t, store, 5, bo)
	f = conntrack.Flow{ID: 4, Orig: conntrack.NewTuple(classifier.ProtoUDP, many, server)}
	f.Reply = f.Orig.Reverse()
	w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: f})
	wantClient(t, store, 4, bo)

	identify(w, client.Addr(), nil)
	wantClient(t, store, 1, session.Client{})
	wantClient(t, store, 3, session.Client{})
	// What a rule wrote of a client that nobody knows stays.
	if err := store.Put(dict.Sessions, dict.Row{Key: dict.CtID(2), Cells: []dict.Cell{{Field: "username", Value: dict.MustString("rule")}}}); err != nil {
		t.Fatal(err)
	}
	identify(w, other.Addr(), &session.Client{Hostname: "tv"})
	identify(w, other.Addr(), nil)
	wantClient(t, store, 2, session.Client{Username: "rule"})
}

// A session that ends leaves its client's others in place, and no trace.
func TestClientForgets(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 100)
	const n = 5
	var flows []conntrack.Flow
	for i := range n {
		from := netip.AddrPortFrom(client.Addr(), uint16(1000+i))
		connect(w, uint32(i), from)
		f := conntrack.Flow{ID: uint32(i), Orig: conntrack.NewTuple(classifier.ProtoTCP, from, server)}
		f.Reply = f.Orig.Reverse()
		flows = append(flows, f)
	}
	for round, end := range []int{2, 4, 0, 3, 1} {
		w.table.Handle(&conntrack.Event{Kind: conntrack.Destroy, Flow: flows[end]})
		who := &session.Client{Hostname: fmt.Sprint("round", round)}
		identify(w, client.Addr(), who)
		left := 0
		for row, err := range store.Rows(dict.Sessions) {
			if err != nil {
				t.Fatal(err)
			}
			left++
			if got := value(row, "client_hostname"); got != who.Hostname {
				t.Errorf("round %d: row %s says %q", round, row.Key, got)
			}
		}
		if left != n-1-round {
			t.Errorf("round %d: %d rows", round, left)
		}
	}
}

// oldKernel is a conntrack with one connection.
type oldKernel struct {
	quietKernel
	flow conntrack.Flow
}

func (k oldKernel) Lookup(t conntrack.Tuple, zone uint16) (conntrack.Flow, error) {
	if t != k.flow.Orig && t != k.flow.Reply || zone != k.flow.Zone {
		return conntrack.Flow{}, conntrack.ErrNotFound
	}
	return k.flow, nil
}

func (k oldKernel) Dump(f func(*conntrack.Flow)) error {
	f(&k.flow)
	return nil
}

// What an earlier daemon wrote stays until a packet tells: saying who the client
// is tells no more.
func TestClientOfSessionsFromBefore(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 100)
	f := conntrack.Flow{ID: 7, Orig: conntrack.NewTuple(classifier.ProtoTCP, client, server)}
	f.Reply = f.Orig.Reverse()
	w.table = session.New(session.Config{Kernel: oldKernel{flow: f}, Rows: w.record, Limit: 100, Now: time.Now()})
	before := []dict.Cell{
		{Field: "client_interface_id", Value: dict.IntValue(3)}, {Field: "session_id", Value: dict.Int64Value(9)},
		{Field: "username", Value: dict.MustString("al")}, {Field: "application", Value: dict.MustString("NETFLIX")},
	}
	row := dict.Row{Key: dict.CtID(7), Cells: before}
	if err := store.Put(dict.Sessions, row); err != nil {
		t.Fatal(err)
	}
	says := session.SaysOf(&row)
	if err := w.table.Reconcile(time.Now(), map[uint32]struct{}{7: {}}, func(*conntrack.Flow) (bool, session.Says) { return true, says }); err != nil {
		t.Fatal(err)
	}
	want := func(what string, fields map[string]string) {
		t.Helper()
		row, err := store.Get(dict.Sessions, dict.CtID(7))
		if err != nil {
			t.Fatal(err)
		}
		for field, want := range fields {
			if got := value(row, field); got != want {
				t.Errorf("%s: %s is %s, want %s", what, field, got, want)
			}
		}
	}
	identify(w, client.Addr(), &session.Client{Hostname: "laptop"})
	wantClient(t, store, 7, session.Client{Hostname: "laptop"})
	want("told", map[string]string{"client_interface_id": "3", "session_id": "9", "application": "NETFLIX"})
	packet := func(src, dst netip.AddrPort, dev uint32) {
		w.Handle(&queue.Packet{CtID: 7, InDev: dev, Payload: ipPacket(classifier.ProtoTCP, src, dst, 1, classifier.FlagACK, nil)})
	}
	packet(server, client, 4)
	want("answered", map[string]string{"client_interface_id": "3", "server_interface_id": "4", "application": "NETFLIX", "client_hostname": "laptop"})
	packet(client, server, 5)
	want("asked", map[string]string{"client_interface_id": "5", "server_interface_id": "4"})
}

// What a daemon that was killed was about to take back of a client is taken back
// by the next; of others rows stay as they are.
func TestClientIsSettled(t *testing.T) {
	store := dicttest.NewStandard(t)
	f := conntrack.Flow{ID: 7, Orig: conntrack.NewTuple(classifier.ProtoTCP, client, server)}
	f.Reply = f.Orig.Reverse()
	al := session.Client{Hostname: "laptop", Username: "al", Groups: "staff"}
	row := dict.Row{Key: dict.CtID(7), Cells: []dict.Cell{
		{Field: "application", Value: dict.MustString("NETFLIX")}, {Field: "client_hostname", Value: dict.MustString(al.Hostname)},
		{Field: "username", Value: dict.MustString(al.Username)}, {Field: "usergroups", Value: dict.MustString(al.Groups)},
	}}
	if err := store.Put(dict.Sessions, row); err != nil {
		t.Fatal(err)
	}
	says := session.SaysOf(&row)
	w := newWorker(t, store, 100)
	w.table = session.New(session.Config{Kernel: oldKernel{flow: f}, Rows: w.record, Limit: 100, Now: time.Now()})
	if err := w.table.Reconcile(time.Now(), map[uint32]struct{}{7: {}}, func(*conntrack.Flow) (bool, session.Says) { return true, says }); err != nil {
		t.Fatal(err)
	}
	w.table.Settle(map[netip.Addr]struct{}{server.Addr(): {}})
	wantClient(t, store, 7, al)
	w.table.Settle(map[netip.Addr]struct{}{client.Addr(): {}})
	wantClient(t, store, 7, session.Client{})
	if row, err := store.Get(dict.Sessions, dict.CtID(7)); err != nil || value(row, "application") != "NETFLIX" {
		t.Errorf("row %v, %v", row, err)
	}
}
