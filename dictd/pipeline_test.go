// SPDX-License-Identifier: MIT

package dictd

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/queue"
	"nftdict/dictd/session"
)

var (
	client = netip.MustParseAddrPort("10.0.0.1:40000")
	server = netip.MustParseAddrPort("192.0.2.1:443")
)

func tcpFlow(id uint32) conntrack.Flow {
	return conntrack.Flow{ID: id, Orig: conntrack.NewTuple(6, client, server), Reply: conntrack.NewTuple(6, server, client)}
}

// open shows the pipeline the first packet of a TCP connection and confirms it.
func open(w *worker, id uint32) {
	w.Handle(&queue.Packet{CtID: id, First: true, InDev: 3, Payload: ipPacket(classifier.ProtoTCP, client, server, 1, classifier.FlagSYN, nil)})
	w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: tcpFlow(id)})
}

// The row is there when the verdict is given, also when half a message is
// enough.
func TestWriteFirstVerdictSecond(t *testing.T) {
	hello := clientHello(t, "www.netflix.com")
	name := strings.Index(string(hello), "www.netflix.com") + len("www.netflix.com")
	for what, cut := range map[string]int{"whole": len(hello), "cut behind the name": name} {
		t.Run(what, func(t *testing.T) {
			store := dicttest.NewStandard(t)
			w := newWorker(t, store, 10)
			open(w, 5)
			v := w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, hello[:cut])})
			row, err := store.Get(dict.Sessions, dict.CtID(5))
			if err != nil {
				t.Fatal(err)
			}
			if got := value(row, "application"); got != "NETFLIX" {
				t.Errorf("application %q at verdict %d", got, v)
			}
		})
	}
}

// Only what has changed is written.
func TestOnlyChangesAreWritten(t *testing.T) {
	store := &countingStore{Mem: dicttest.NewStandard(t)}
	w := newWorker(t, store, 10)
	open(w, 5)
	base := store.cells
	ack := queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, nil)}
	for range 10 {
		w.Handle(&ack)
	}
	if store.cells != base {
		t.Errorf("%d cells written for packets that tell nothing", store.cells-base)
	}
	w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, clientHello(t, "www.netflix.com"))})
	for _, field := range store.last {
		if field == "session_id" || field == "client_address" {
			t.Errorf("%s was written again", field)
		}
	}
}

// What a server behind a translation of addresses says is filed under the address
// that its clients know.
func TestTranslatedEnds(t *testing.T) {
	w := newWorker(t, dicttest.NewStandard(t), 10)
	relations := classifier.NewRelations(classifier.RelationsOptions{})
	w.classifier.Store(classifier.New(classifier.Options{Relations: relations}))
	public, inside := netip.MustParseAddrPort("192.0.2.1:21"), netip.MustParseAddrPort("10.9.9.9:2121")
	masqueraded := netip.MustParseAddrPort("203.0.113.7:40000")
	flow := conntrack.Flow{ID: 5, Orig: conntrack.NewTuple(6, client, public), Reply: conntrack.NewTuple(6, inside, masqueraded)}
	w.Handle(&queue.Packet{CtID: 5, First: true, Payload: ipPacket(classifier.ProtoTCP, client, public, 1, classifier.FlagSYN, nil)})
	w.table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: flow})
	w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, inside, masqueraded, 1, classifier.FlagACK, []byte("220 FTP ready\r\n331 password\r\n229 Entering Extended Passive Mode (|||51210|)\r\n"))})
	data := netip.AddrPortFrom(public.Addr(), 51210)
	w.Handle(&queue.Packet{CtID: 6, First: true, Payload: ipPacket(classifier.ProtoTCP, netip.AddrPortFrom(client.Addr(), 40001), data, 1, classifier.FlagSYN, nil)})
	row, err := w.record.store.Get(dict.Sessions, dict.CtID(6))
	if err != nil {
		t.Fatal(err)
	}
	if got := value(row, "application"); got != "FTP_DATA" {
		t.Errorf("application %q", got)
	}
}

type countingStore struct {
	*dicttest.Mem
	cells int
	last  []string
}

func (s *countingStore) Put(table string, rows ...dict.Row) error {
	s.last = nil
	for _, r := range rows {
		s.cells += len(r.Cells)
		for _, c := range r.Cells {
			s.last = append(s.last, c.Field)
		}
	}
	return s.Mem.Put(table, rows...)
}

// failingStore refuses rows until it is mended.
type failingStore struct {
	*dicttest.Mem
	err error
}

func (s *failingStore) Put(table string, rows ...dict.Row) error {
	if s.err != nil {
		return s.err
	}
	return s.Mem.Put(table, rows...)
}

func TestFullTable(t *testing.T) {
	store := &failingStore{Mem: dicttest.NewStandard(t), err: fmt.Errorf("put: %w", dict.ErrFull)}
	w := newWorker(t, store, 10)
	open(w, 5)
	if w.record.full.Load() == 0 {
		t.Error("a refused row is not counted")
	}
	store.err = nil
	w.Handle(&queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, clientHello(t, "www.netflix.com"))})
	row, err := store.Get(dict.Sessions, dict.CtID(5))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"session_id", "client_address", "application"} {
		if value(row, field) == "" {
			t.Errorf("%s is missing once there is room", field)
		}
	}
}

// A client that asks for a connection in the midst of one keeps its row, which is not
// settled any more, until the server takes it up.
func TestDoubtedRow(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	open(w, 5)
	packet := func(from, to netip.AddrPort, seq uint32, flags uint8, text string) queue.Verdict {
		by := uint32(3)
		if from == server {
			by = 4
		}
		return w.Handle(&queue.Packet{CtID: 5, InDev: by, Payload: ipPacket(classifier.ProtoTCP, from, to, seq, flags, []byte(text))})
	}
	packet(server, client, 1, classifier.FlagSYN|classifier.FlagACK, "")
	if v := packet(client, server, 2, classifier.FlagACK, "GET / HTTP/1.1\r\nHost: www.netflix.com\r\n\r\n"); v != queue.Finish {
		t.Fatalf("verdict %d", v)
	}
	says := func(final, application string) {
		t.Helper()
		row, err := store.Get(dict.Sessions, dict.CtID(5))
		if err != nil {
			t.Fatal(err)
		}
		if value(row, "final") != final || value(row, "application") != application {
			t.Errorf("final %q, application %q; want %q, %q", value(row, "final"), value(row, "application"), final, application)
		}
	}
	says("true", "NETFLIX")
	for range 2 {
		if v := packet(client, server, 9000, classifier.FlagSYN, ""); v != queue.Accept {
			t.Errorf("verdict %d: its answer would not be seen", v)
		}
		says("false", "NETFLIX")
	}
	packet(server, client, 7000, classifier.FlagSYN|classifier.FlagACK, "")
	says("", "")
	if v := packet(client, server, 9001, classifier.FlagACK, "GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n"); v != queue.Finish {
		t.Errorf("verdict %d", v)
	}
	says("true", "YOUTUBE")
}

// A row that is refused when nothing more is to be found out is written with the next
// packet, which comes as the connection is not finished before; but not for ever.
func TestRefusedRow(t *testing.T) {
	store := &failingStore{Mem: dicttest.NewStandard(t)}
	w := newWorker(t, store, 10)
	open(w, 5)
	store.err = fmt.Errorf("put: %w", dict.ErrFull)
	seq := uint32(2)
	say := func(text string) queue.Verdict {
		p := ipPacket(classifier.ProtoTCP, client, server, seq, classifier.FlagACK, []byte(text))
		seq += uint32(len(text))
		return w.Handle(&queue.Packet{CtID: 5, Payload: p})
	}
	if v := say("GET / HTTP/1.1\r\nHost: www.netflix.com\r\n\r\n"); v != queue.Accept {
		t.Errorf("verdict %d although rules do not know the connection", v)
	}
	for range 2 {
		say("GET / HTTP/1.1\r\n")
	}
	store.err = nil
	if v := say("Host: www.netflix.com\r\n"); v != queue.Finish {
		t.Errorf("verdict %d", v)
	}
	row, err := store.Get(dict.Sessions, dict.CtID(5))
	if err != nil {
		t.Fatal(err)
	}
	if value(row, "application") != "NETFLIX" || value(row, "bypass_packetd") != "true" {
		t.Errorf("%v", row)
	}
	for _, s := range w.table.Find(5) {
		s.Lock()
		s.Unsent()
		s.Unlock()
	}
	store.err = dict.ErrFull
	for i := range 2 * writeTries {
		if say("more") == queue.Finish {
			if i == 0 {
				t.Error("finished at once")
			}
			return
		}
	}
	t.Error("tried for ever")
}

// Packets that cannot be told pass.
func TestOddPackets(t *testing.T) {
	hello := ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, []byte("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))
	for name, payload := range map[string][]byte{
		"empty":           {},
		"not IP":          {0xff, 0xff},
		"half a header":   hello[:12],
		"no ports":        hello[:20],
		"half a TCP head": hello[:30],
	} {
		w := newWorker(t, dicttest.NewStandard(t), 10)
		for _, first := range []bool{true, false} {
			if v := w.Handle(&queue.Packet{CtID: 1, First: first, Payload: payload}); v != queue.Accept {
				t.Errorf("%s: verdict %d", name, v)
			}
		}
		if w.table.Len() != 0 {
			t.Errorf("%s: became a session", name)
		}
	}
	w := newWorker(t, dicttest.NewStandard(t), 10)
	w.Handle(&queue.Packet{CtID: 1, First: true, Payload: hello[:len(hello)-5]}) // cut, as by a small copy range
	if w.table.Len() != 1 {
		t.Error("a packet whose end is cut off has no session")
	}
}

func TestLaterPacketsDoNotAllocate(t *testing.T) {
	w := newWorker(t, dicttest.NewStandard(t), 10)
	open(w, 5)
	ack := queue.Packet{CtID: 5, Payload: ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, nil)}
	if n := testing.AllocsPerRun(40, func() { w.Handle(&ack) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzHandle(f *testing.F) {
	hello := clientHello(f, "www.netflix.com")
	f.Add(ipPacket(classifier.ProtoTCP, client, server, 1, classifier.FlagSYN, nil), uint32(1), true)
	f.Add(ipPacket(classifier.ProtoTCP, client, server, 2, classifier.FlagACK, hello), uint32(1), false)
	f.Add(ipPacket(classifier.ProtoTCP, server, client, 2, classifier.FlagACK, hello), uint32(1), false)
	f.Add(ipPacket(classifier.ProtoUDP, client, server, 0, 0, dnsQuery(1, "www", "example", "org")), uint32(2), true)
	v6 := netip.MustParseAddrPort("[2001:db8::1]:5353")
	f.Add(ipPacket(classifier.ProtoUDP, v6, v6, 0, 0, dnsQuery(1, "a")), uint32(3), true)
	f.Add(ipPacket(classifier.ProtoICMP, client, server, 0, 0, []byte{8, 0, 0, 0, 1, 2, 3, 4}), uint32(4), true)
	store := dicttest.NewStandard(f)
	w := newWorker(f, store, 1000)
	f.Fuzz(func(t *testing.T, payload []byte, id uint32, first bool) {
		id %= 16 // collisions and reuse included
		w.Handle(&queue.Packet{CtID: id, First: first, Payload: payload})
		if w.record.failed.Load() > 0 {
			t.Fatalf("a row was refused: %s", *w.record.lastError.Load())
		}
		if n := w.table.Len(); n > 1000 {
			t.Fatalf("%d sessions", n)
		}
	})
}

// Each of two datagrams that open one connection has an entry of its own until
// one is confirmed: what the second makes known is under the second's id when
// its verdict is given.
func TestSecondDatagramHasARowOfItsOwn(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	for i, payload := range [][]byte{{0xff, 0xff, 0xff}, dnsQuery(1, "www", "netflix", "com")} {
		id := uint32(5 + i)
		w.Handle(&queue.Packet{CtID: id, First: true, Payload: ipPacket(classifier.ProtoUDP, client, server, 0, 0, payload)})
		row, err := store.Get(dict.Sessions, dict.CtID(id))
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if i == 1 {
			want = "DNS"
		}
		if got := value(row, "application"); want != "" && got != want {
			t.Errorf("datagram %d: application %q, want %q", i, got, want)
		}
		if got := value(row, "client_port"); got != fmt.Sprint(client.Port()) {
			t.Errorf("datagram %d: client_port %q", i, got)
		}
		if row.TTL == 0 || row.TTL > session.Provisional {
			t.Errorf("datagram %d: the row lives %v", i, row.TTL)
		}
	}
}

// What rests on a DNS answer alone is no application: rules on application do
// not act on it.
func TestHintIsNoApplication(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 10)
	hints := classifier.NewHints(classifier.HintsOptions{})
	hints.Add(client.Addr(), server.Addr(), "www.netflix.com", time.Hour, time.Now())
	w.classifier.Store(classifier.New(classifier.Options{Hints: hints}))
	open(w, 5)
	row, err := store.Get(dict.Sessions, dict.CtID(5))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"application_inferred": "NETFLIX", "application_category_inferred": "streaming", "server_dns_hint": "www.netflix.com",
		"application_productivity_inferred": "1", "application_risk_inferred": "2",
	} {
		if got := value(row, field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	for _, field := range []string{"application", "application_category", "application_confidence", "application_risk"} {
		if v, ok := row.Get(field); ok {
			t.Errorf("%s is %s", field, v)
		}
	}
}

// What comes while the entry of its connection is replaced does not go on, and is nobody's.
func TestBetweenEntries(t *testing.T) {
	store := dicttest.NewStandard(t)
	w := newWorker(t, store, 100)
	f := conntrack.Flow{ID: 7, Orig: conntrack.NewTuple(classifier.ProtoTCP, client, server)}
	f.Reply = f.Orig.Reverse()
	answer := func(id uint32, first bool) queue.Verdict {
		return w.Handle(&queue.Packet{CtID: id, InDev: 4, First: first, Payload: ipPacket(classifier.ProtoTCP, server, client, 1, classifier.FlagACK, []byte{1})})
	}
	w.table.Depart(&f)
	if v := answer(8, true); v != queue.Drop || w.table.Len() != 0 || len(rows(t, store, nil)) != 0 {
		t.Errorf("verdict %v, %d sessions, %v", v, w.table.Len(), rows(t, store, nil))
	}
	if v := answer(7, false); v != queue.Accept {
		t.Errorf("of its entry: verdict %v", v)
	}
	w.table.Arrive(&f, nil)
	if v := answer(8, true); v != queue.Accept || w.table.Len() != 1 {
		t.Errorf("when it has ended: verdict %v, %d sessions", v, w.table.Len())
	}
}
