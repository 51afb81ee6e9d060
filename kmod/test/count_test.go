// SPDX-License-Identifier: MIT

package test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// home returns the namespace of the calling thread.
func home(tb testing.TB) *os.File {
	tb.Helper()
	f, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

// crowd runs f on n threads of the namespace, until all return.
func crowd(tb testing.TB, n int, f func(i int) error) *sync.WaitGroup {
	tb.Helper()
	ns := home(tb)
	var threads sync.WaitGroup
	for i := range n {
		threads.Go(func() {
			err := join(ns)
			if err == nil {
				err = f(i)
			}
			if err != nil {
				tb.Error(err)
			}
		})
	}
	return &threads
}

// flood sends packets of a size from a socket of its own; nobody takes them.
func flood(h *host, packets, size int) error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	defer conn.Close()
	buf := make([]byte, size)
	for range packets {
		if _, err := conn.WriteToUDPAddrPort(buf, h.conn.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			return err
		}
	}
	return nil
}

// TestCountExact: many CPUs count in one row, in fields of both types, by a
// constant and by the packet's length, while others write other fields of the
// row, longer and shorter, and delete them: not one packet is lost or counted
// twice.
func TestCountExact(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "quota", dict.KeyIPv4, 0, field("left", dict.Int64), field("up", dict.Int64), field("n", dict.Int), field("down", dict.Int), field("note", dict.String), field("seen", dict.Bool))
	h.chain(t)
	if err := h.rules(
		h.compile(t, "dict quota ip saddr left sub meta length"), h.compile(t, "dict quota ip saddr up add 3"),
		h.compile(t, "dict quota ip saddr n add 1"), h.compile(t, "dict quota ip saddr down sub meta length"),
	); err != nil {
		t.Fatal(err)
	}
	key := []byte{127, 0, 0, 1}
	const start, packets = int64(1) << 40, 1500
	if err := f.put(t, "quota", row(key, cell("left", dict.Int64Value(start)))); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	writers := crowd(t, 2, func(i int) error {
		s, err := openSocket(unix.NETLINK_GENERIC)
		if err != nil {
			return err
		}
		defer unix.Close(s.fd)
		mine := &family{socket: s, id: f.id}
		for n := 0; !stop.Load(); n++ {
			cmd, cells := uint8(cmdRowPut), cell("note", dict.MustString(fmt.Sprintf("%*d", n%100, n)))
			switch {
			case i == 1:
				cells = cell("seen", dict.BoolValue(n%2 == 0))
			case n%7 == 6:
				cmd, cells = cmdRowDel, cell("note")
			}
			if _, err := mine.do(cmd, text(attrTable, "quota"), row(key, cells)); err != nil {
				return err
			}
		}
		return nil
	})
	n := 2 * runtime.NumCPU()
	crowd(t, n, func(i int) error { return flood(h, packets, 100+i) }).Wait()
	stop.Store(true)
	writers.Wait()
	sum := int64(0)
	for i := range n {
		sum += packets * int64(20+8+100+i)
	}
	got, err := h.store.Get("quota", dict.AddrKey(addr127))
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]int64{"left": start - sum, "up": 3 * packets * int64(n), "n": packets * int64(n), "down": -sum} {
		for _, c := range got.Cells {
			if c.Field == field && c.Value.Int64() != want {
				t.Errorf("%s: %d, want %d: %d off", field, c.Value.Int64(), want, c.Value.Int64()-want)
			}
		}
	}
	if len(got.Cells) < 5 {
		t.Errorf("the row is %v", got)
	}
}

// TestAddExact: user space adds to what many CPUs take off, in fields of both
// types and in several stores, while others write longer and shorter fields of
// the row: not one byte is lost.
func TestAddExact(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "quota", dict.KeyIPv4, 0, field("left", dict.Int64, nest(fieldDefault, val(dict.Int64Value(1<<40)))), field("n", dict.Int), field("note", dict.String))
	h.chain(t)
	if err := h.rules(h.compile(t, "dict quota ip saddr left sub meta length"), h.compile(t, "dict quota ip saddr n add 1")); err != nil {
		t.Fatal(err)
	}
	key := []byte{127, 0, 0, 1}
	const amount, packets = 1000, 1500
	var stop atomic.Bool
	var added atomic.Int64
	writers := crowd(t, 3, func(i int) error {
		s, err := openSocket(unix.NETLINK_GENERIC)
		if err != nil {
			return err
		}
		defer unix.Close(s.fd)
		mine := &family{socket: s, id: f.id}
		for n := 0; !stop.Load(); n++ {
			cmd, cells := uint8(cmdRowAdd), cat(cell("left", dict.Int64Value(amount)), cell("n", dict.IntValue(-1)))
			if i == 2 {
				cmd, cells = cmdRowPut, cell("note", dict.MustString(fmt.Sprintf("%*d", n%100, n)))
			}
			if _, err := mine.do(cmd, text(attrTable, "quota"), row(key, cells)); err != nil {
				return err
			}
			if i != 2 {
				added.Add(1)
			}
		}
		return nil
	})
	n := 2 * runtime.NumCPU()
	crowd(t, n, func(i int) error { return flood(h, packets, 100) }).Wait()
	stop.Store(true)
	writers.Wait()
	got, err := h.store.Get("quota", dict.AddrKey(addr127))
	if err != nil {
		t.Fatal(err)
	}
	if added.Load() < 10 {
		t.Errorf("%d amounts: too few to race with anything", added.Load())
	}
	for field, want := range map[string]int64{
		"left": 1<<40 + amount*added.Load() - int64(n)*packets*(20+8+100),
		"n":    int64(n)*packets - added.Load(),
	} {
		if v, _ := got.Get(field); v.Int64() != want {
			t.Errorf("%s: %d, want %d: %d off", field, v.Int64(), want, v.Int64()-want)
		}
	}
}

// TestCountEnds: counters stay at their ends, whoever counts, and come back
// from there.
func TestCountEnds(t *testing.T) {
	h := newHost(t)
	f := newFamily(t)
	f.table(t, "quota", dict.KeyIPv4, 0, field("i", dict.Int), field("l", dict.Int64))
	key := []byte{127, 0, 0, 1}
	const most, most64 = 1<<31 - 1, 1<<63 - 1
	const packets, length = 50, 128
	for _, c := range []struct {
		rule         string
		i, l         int64
		wantI, wantL int64
	}{
		{rule: "add", i: most - 100, l: most64 - 100, wantI: most, wantL: most64},
		{rule: "sub", i: -most + 100, l: -most64 + 100, wantI: -most - 1, wantL: -most64 - 1},
		{rule: "add", i: most - 4*packets*length, l: most64 - 4*packets*length, wantI: most, wantL: most64},
		{rule: "sub", i: most, l: most64, wantI: most - 4*packets*length, wantL: most64 - 4*packets*length},
	} {
		h.chain(t)
		if err := h.rules(h.compile(t, "dict quota ip saddr i "+c.rule+" meta length"), h.compile(t, "dict quota ip saddr l "+c.rule+" meta length")); err != nil {
			t.Fatal(err)
		}
		if err := f.put(t, "quota", row(key, cell("i", dict.IntValue(int32(c.i))), cell("l", dict.Int64Value(c.l)))); err != nil {
			t.Fatal(err)
		}
		crowd(t, 4, func(int) error { return flood(h, packets, length-28) }).Wait()
		got, err := h.store.Get("quota", dict.AddrKey(addr127))
		if err != nil {
			t.Fatal(err)
		}
		if i, l := got.Cells[0].Value.Int64(), got.Cells[1].Value.Int64(); i != c.wantI || l != c.wantL {
			t.Errorf("%s from %d and %d: %d and %d, want %d and %d", c.rule, c.i, c.l, i, l, c.wantI, c.wantL)
		}
	}
}
