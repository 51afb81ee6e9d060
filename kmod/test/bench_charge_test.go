// SPDX-License-Identifier: MIT

package test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/nftables/expr"
	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// charges measures rules that take a packet's length from a budget, beside those
// that look at it, on the same hosts, of 1,000 rows each.
func charges(b *testing.B, s *sheet) {
	const rounds = 5
	for _, row := range []string{"dict hosts ip saddr quota_remaining", "dict users dict hosts ip saddr username quota_remaining"} {
		match := 0.0
		charge := mean(b, row+" sub meta length", rounds, func(b *testing.B, h *host) float64 {
			h.standard(b)
			h.hosts(b, 999)
			h.users(b, 999)
			h.chain(b)
			match += cost(b, h, h.compile(b, row+" > 0")) / rounds
			h.chain(b)
			return cost(b, h, h.compile(b, row+" sub meta length"))
		})
		s.add(row+" > 0", match, "instructions", 0)
		s.add(row+" sub meta length", charge, "instructions", 0)
		s.ratio("charged / looked at", charge, match, 1.3)
	}
}

// users puts n more rows into users, and fills that of the packets' user.
func (h *host) users(b *testing.B, n int) {
	rows := make([]dict.Row, n+1)
	for i := range rows {
		name := "alice"
		if i < n {
			name = fmt.Sprint("user", i)
		}
		rows[i] = dict.Row{Key: stringKey(b, name), Cells: []dict.Cell{{Field: "quota_remaining", Value: dict.Int64Value(1_000_000_000)}}}
	}
	if err := h.store.Put(dict.Users, rows...); err != nil {
		b.Fatal(err)
	}
}

func stringKey(b *testing.B, name string) dict.Key {
	key, err := dict.StringKey(name)
	if err != nil {
		b.Fatal(err)
	}
	return key
}

// flips says of a user with 10,000 connections that his budget is used up: until
// packets of a hundred of these are all refused. The figure is of the slowest.
func flips(b *testing.B, s *sheet) {
	const connections, sample, port = 10_000, 100, 7777
	b.Run("flip", func(b *testing.B) {
		h := newHost(b)
		h.standard(b)
		h.hosts(b, 0)
		listener, err := net.ListenUDP("udp4", &net.UDPAddr{Port: port}) // which nobody reads
		if err != nil {
			b.Fatal(err)
		}
		defer listener.Close()
		term := h.compile(b, "dict users dict hosts ip saddr username quota_exceeded true")
		h.chain(b)
		drop := append(slices.Clone(term), marshal(b, &expr.Verdict{Kind: expr.VerdictDrop})...)
		if err := h.rules(marshal(b, loadID), drop); err != nil {
			b.Fatal(err)
		}
		send := func(n int) error {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), port)
			_, err := h.conn.WriteToUDPAddrPort(make([]byte, 64), to)
			return err
		}
		for n := range connections {
			if err := send(n); err != nil {
				b.Fatal(err)
			}
		}
		h.sessions(b, connections)
		alice := stringKey(b, "alice")
		said := func(exceeded bool) {
			cells := []dict.Cell{{Field: "quota_exceeded", Value: dict.BoolValue(exceeded)}}
			if err := h.store.Put(dict.Users, dict.Row{Key: alice, Cells: cells}); err != nil {
				b.Fatal(err)
			}
		}
		worst := int64(0)
		for range 10 {
			start := now(b)
			said(true)
			for i := range sample {
				for tries := 0; ; tries++ {
					err := send(i * (connections / sample))
					if errors.Is(err, unix.EPERM) {
						break
					}
					if err != nil || tries > 1000 {
						b.Fatalf("connection %d is let through: %v", i, err)
					}
				}
			}
			worst = max(worst, now(b)-start)
			said(false)
			if err := send(connections - 1); err != nil {
				b.Fatalf("of a user who may again: %v", err)
			}
		}
		s.add("a user's budget used up, until packets of 100 of his 10,000 connections are refused", float64(worst), "instructions", 50e6)
		b.ReportMetric(0, "ns/op")
	})
}

// sessions makes a row of alice for each connection that conntrack has, n or more.
func (h *host) sessions(b *testing.B, n int) {
	conn, err := conntrack.Dial(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	flows, err := conn.Dump(nil)
	if err != nil {
		b.Fatal(err)
	}
	if len(flows) < n {
		b.Fatalf("%d connections of %d are there", len(flows), n)
	}
	rows := make([]dict.Row, len(flows))
	for i, f := range flows {
		rows[i] = dict.Row{Key: dict.CtID(f.ID), Cells: []dict.Cell{{Field: "username", Value: dict.MustString("alice")}}}
	}
	if err := h.store.Put(dict.Sessions, rows...); err != nil {
		b.Fatal(err)
	}
}
