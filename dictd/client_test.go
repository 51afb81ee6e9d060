// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net/netip"
	"testing"

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
