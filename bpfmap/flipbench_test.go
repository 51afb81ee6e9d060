// SPDX-License-Identifier: MIT

package bpfmap_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"nftdict/dict"
)

// BenchmarkFlip says of a user with 10,000 connections that his budget is used up:
// until packets of a hundred of these are all refused. The figure is of the slowest.
func BenchmarkFlip(b *testing.B) {
	const connections, sample = 10_000, 100
	t := newToll(b)
	drop := elements(b, &expr.Verdict{Kind: expr.VerdictDrop})
	t.only(b, append(slices.Clone(t.compile(b, "dict users dict hosts ip saddr username quota_exceeded true")), drop...), 1)
	for n := range connections {
		if err := t.send(n); err != nil {
			b.Fatal(err)
		}
	}
	t.sessions(b, connections)
	said := func(exceeded bool) {
		t.put(b, dict.Users, dict.Row{Key: t.user.Key, Cells: []dict.Cell{{Field: "quota_exceeded", Value: dict.BoolValue(exceeded)}}})
	}
	var worst time.Duration
	for b.Loop() {
		began := time.Now()
		said(true)
		for i := range sample {
			for {
				err := t.send(i * (connections / sample))
				if errors.Is(err, unix.EPERM) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				if time.Since(began) > 10*time.Second {
					b.Fatal("packets are still let through after 10 s")
				}
			}
		}
		worst = max(worst, time.Since(began))
		said(false)
		if err := t.send(connections - 1); err != nil {
			b.Fatalf("of a user who may again: %v", err)
		}
	}
	b.ReportMetric(float64(worst.Nanoseconds()), "worst-ns")
}

// sessions makes a row of the user for each connection that conntrack has, n or
// more.
func (t *toll) sessions(b *testing.B, n int) {
	b.Helper()
	conn, err := conntrack.Dial(&netlink.Config{NetNS: int(t.gateway)})
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
	name, err := dict.StringValue("alice")
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]dict.Row, len(flows))
	for i, f := range flows {
		rows[i] = dict.Row{Key: dict.CtID(f.ID), Cells: []dict.Cell{{Field: "username", Value: name}}}
	}
	t.put(b, dict.Sessions, rows...)
}
