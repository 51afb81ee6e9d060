// SPDX-License-Identifier: MIT

package test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// Attributes of conntrack entries.
const (
	ctaTupleOrig, ctaTupleReply, ctaStatus, ctaTimeout, ctaID = 1, 2, 3, 7, 12
	ctaTupleIP, ctaTupleProto                                 = 1, 2
	ctaIPSrc, ctaIPDst                                        = 1, 2
	ctaProtoNum, ctaProtoSrc, ctaProtoDst                     = 1, 2, 3
	ctNew, ctGet, ctDelete                                    = 0, 1, 2
)

// sysctl writes a setting of the kernel until the test ends.
func sysctl(tb testing.TB, name, value string) {
	tb.Helper()
	old, err := os.ReadFile("/proc/sys/" + name)
	if err == nil {
		err = os.WriteFile("/proc/sys/"+name, []byte(value), 0)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.WriteFile("/proc/sys/"+name, old, 0) })
}

func ctMessage(typ, flags uint16, attrs ...[]byte) message {
	return message{typ: unix.NFNL_SUBSYS_CTNETLINK<<8 | typ, flags: flags, data: append([]byte{unix.AF_INET, 0, 0, 0}, cat(attrs...)...)}
}

// inject makes connections, of which no packet was ever seen.
func inject(tb testing.TB, s *socket, from, to int) {
	tb.Helper()
	const confirmed = 1 << 3
	addr, port := []byte{10, 0xaa, 0xbb, 0xcc}, []byte{0xdd, 0xee} // of the client, to be replaced
	server, dns := []byte{192, 0, 2, 1}, []byte{0, 53}
	tuple := func(typ uint16, src, dst, sport, dport []byte) []byte {
		return nest(typ, nest(ctaTupleIP, attr(ctaIPSrc, src), attr(ctaIPDst, dst)),
			nest(ctaTupleProto, attr(ctaProtoNum, []byte{unix.IPPROTO_UDP}), attr(ctaProtoSrc, sport), attr(ctaProtoDst, dport)))
	}
	const batch = 1000
	draft := ctMessage(ctNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, tuple(ctaTupleOrig, addr, server, port, dns), tuple(ctaTupleReply, server, addr, dns, port), big(ctaTimeout, 600), big(ctaStatus, confirmed))
	places := func(what []byte) [2]int {
		first := bytes.Index(draft.data, what)
		return [2]int{first, first + 1 + bytes.Index(draft.data[first+1:], what)}
	}
	addrs, ports := places(addr), places(port)
	list := make([]message, batch)
	for i := range list {
		list[i] = draft
		list[i].data = bytes.Clone(draft.data)
	}
	// The last one is acknowledged: by then all are there.
	list[batch-1].flags |= unix.NLM_F_ACK
	for n := from; n < to; n += batch {
		for i := range list {
			m, n := &list[i], n+i
			for at := range 2 {
				copy(m.data[addrs[at]+1:], []byte{byte(n >> 14), byte(n >> 6), byte(n & 63)})
				copy(m.data[ports[at]:], []byte{0x80 | byte(n>>22), 1})
			}
		}
		if _, err := s.send(list...); err != nil {
			tb.Fatal(err)
		}
		for done := false; !done; {
			answers, err := s.receive(0)
			if err != nil {
				tb.Fatal(err)
			}
			for _, m := range answers {
				if err := m.result(nfHeader); err != nil {
					tb.Fatalf("connection: %v", err)
				}
				done = done || m.seq == s.seq
			}
		}
	}
}

// twins returns an id that two connections have, the tuple of one of them, nil
// if there are no such two, and how many connections there are.
func twins(tb testing.TB, s *socket) (id uint32, orig []byte, n int) {
	tb.Helper()
	seen := map[uint32]struct{}{}
	if _, err := s.send(ctMessage(ctGet, unix.NLM_F_DUMP)); err != nil {
		tb.Fatal(err)
	}
	for {
		size, _, err := unix.Recvfrom(s.fd, s.buf, 0)
		if err != nil {
			tb.Fatal(err)
		}
		for b := s.buf[:size]; len(b) >= 16; {
			l := int(binary.NativeEndian.Uint32(b))
			if binary.NativeEndian.Uint16(b[4:]) == unix.NLMSG_DONE {
				return id, orig, n
			}
			n++
			for a := b[16+nfHeader : l]; len(a) >= 8; {
				if binary.NativeEndian.Uint16(a[2:]) == ctaID {
					this := binary.BigEndian.Uint32(a[4:])
					if _, twice := seen[this]; twice {
						p, _ := find(tb, b[16+nfHeader:l], ctaTupleOrig)
						id, orig = this, bytes.Clone(p.data)
					}
					seen[this] = struct{}{}
					break
				}
				a = a[min(len(a), (int(binary.NativeEndian.Uint16(a))+3)&^3):]
			}
			b = b[min(len(b), (l+3)&^3):]
		}
	}
}

// TestTwins: ids have 32 bits, and among many connections two have the same. A
// put by it is refused, for it could hit the wrong one; to rules they are two,
// for these find a row by the connection itself; and when one of them goes the
// id is the other's.
func TestTwins(t *testing.T) {
	const most = 400_000
	sysctl(t, "net/netfilter/nf_conntrack_max", "1000000")
	sysctl(t, "net/netfilter/nf_conntrack_buckets", "262144")
	newHost(t)
	f := newFamily(t)
	f.table(t, "bound", dict.KeyCtID, tableBound, field("i", dict.Int))
	s := newSocket(t, unix.NETLINK_NETFILTER)
	var id uint32
	var tuple []byte
	for from := 0; ; from += 90_000 {
		if from >= most {
			t.Fatalf("no two of %d connections have an id in common", from)
		}
		inject(t, s, from, from+90_000)
		one, orig, n := twins(t, s)
		if n < from+90_000 {
			t.Fatalf("%d connections, want %d", n, from+90_000)
		}
		if id, tuple = one, orig; tuple != nil {
			t.Logf("two of %d connections have the id %d", n, id)
			break
		}
	}
	key := intKey(id)
	put := func(n int32) error { return f.put(t, "bound", row(key, cell("i", dict.IntValue(n)))) }
	twice := func(what string, err error) {
		t.Helper()
		var r *refused
		if !errors.As(err, &r) || r.errno != unix.ENOTUNIQ || !strings.Contains(r.text, "two live") {
			t.Errorf("%s: %v, want %v", what, err, unix.ENOTUNIQ)
		}
	}
	twice("put", put(1))
	_, err := f.do(cmdRowGet, text(attrTable, "bound"), row(key))
	twice("get", err)
	twice("delete", f.rows(t, cmdRowDel, "bound", row(key)))
	twice("renew", f.rows(t, cmdRowRenew, "bound", row(key)))
	if n := f.count(t, "bound", attrRows); n != 0 {
		t.Errorf("%d rows came of what was refused", n)
	}

	// One of them goes.
	if _, err := s.exchange(ctMessage(ctDelete, 0, nest(ctaTupleOrig, tuple)), nfHeader); err != nil {
		t.Fatal(err)
	}
	if err := put(2); err != nil {
		t.Errorf("put when one of them has gone: %v", err)
	}
	if n := f.count(t, "bound", attrRows); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}
