// SPDX-License-Identifier: MIT

package dictd

import (
	"context"
	"testing"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/queue"
)

// answered shows a worker a connection until its server has answered, with nothing said
// yet.
func answered(w *worker, id uint32) {
	open(w, id)
	w.Handle(&queue.Packet{CtID: id, InDev: 4, Payload: ipPacket(classifier.ProtoTCP, server, client, 1, classifier.FlagSYN|classifier.FlagACK, nil)})
}

// What nothing waits for is written with the packet that says something.
func TestPostponed(t *testing.T) {
	store := &countingStore{Mem: dicttest.NewStandard(t)}
	w := newWorker(t, store, 10)
	w.record.postponed = newPostponed()
	w.record.postponed.take(true) // as Run does, which is not there to write
	answered(w, 5)
	if puts := w.record.puts.Load(); puts != 1 {
		t.Errorf("%d puts for a connection that has said nothing, want that of its first packet", puts)
	}
	w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, []byte{0xaa})})
	row, err := store.Get(dict.Sessions, dict.CtID(5))
	if err != nil {
		t.Fatal(err)
	}
	if value(row, "server_interface_id") != "4" || value(row, "client_port_new") == "" {
		t.Errorf("a packet with payload has passed, and the row is %v", row)
	}
	if puts := w.record.puts.Load(); puts != 2 {
		t.Errorf("%d puts, want 2", puts)
	}
	cells := store.cells
	w.record.writePostponed(true)
	if store.cells != cells {
		t.Errorf("%d cells were written twice", store.cells-cells)
	}
}

// Without such a packet it is written soon, and when the daemon stops.
func TestPostponedIsWritten(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	w.record.postponed = newPostponed()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.record.Run(ctx) }()
	written := func() bool {
		row, err := store.Get(dict.Sessions, dict.CtID(5))
		return err == nil && value(row, "server_interface_id") == "4" && value(row, "client_port_new") != "" && row.TTL > dict.Lease/2
	}
	eventually(t, "the row says it and lives on", func() bool {
		if w.table.Len() == 0 {
			answered(w, 5)
		}
		return written()
	})
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Nobody would write any more: nothing waits.
	puts := w.record.puts.Load()
	s := w.table.Find(5)[0]
	if !s.Lock() {
		t.Fatal("the session has ended")
	}
	s.Unsent()
	w.record.Later(s)
	s.Unlock()
	if got := w.record.puts.Load(); got != puts+1 {
		t.Errorf("%d puts after the end, want 1", got-puts)
	}
}
