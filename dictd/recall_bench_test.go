// SPDX-License-Identifier: MIT

package dictd

import (
	"net"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/conntrack"
	"nftdict/dictd/offload"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// BenchmarkCarry takes back some 10,000 connections with rows as sessions have them, by way
// of conntrack, and writes as many rows: memory that no flowtable holds comes back at
// once, so ids and rows of these connections stay as they are.
func BenchmarkCarry(b *testing.B) {
	const n = 12_000 // some ports come twice
	l := labtest.New(b, lab.Config{})
	run(b, l.Gateway, "nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept")
	store := openEBPF(b, l.Gateway).Store
	lives, err := conntrack.Lives(l.Gateway.FD())
	if err != nil {
		b.Fatal(err)
	}
	carrier, err := offload.NewCarrier(offload.CarrierConfig{NetNS: l.Gateway.FD(), Store: store, Lives: lives})
	if err != nil {
		b.Fatal(err)
	}
	defer carrier.Close()
	kernel, err := conntrack.Dial(l.Gateway.FD())
	if err != nil {
		b.Fatal(err)
	}
	defer kernel.Close()
	err = l.Gateway.Do(func() error {
		for range n {
			conn, err := net.Dial("udp", "127.0.0.1:7")
			if err != nil {
				return err
			}
			_, err = conn.Write([]byte("x"))
			conn.Close()
			if err != nil && err.(*net.OpError).Temporary() {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	table, err := store.Table(dict.Sessions)
	if err != nil {
		b.Fatal(err)
	}
	var cells []dict.Cell
	for _, f := range table.Fields {
		switch f.Type {
		case dict.Int:
			cells = append(cells, dict.Cell{Field: f.Name, Value: dict.IntValue(5)})
		case dict.String:
			cells = append(cells, dict.Cell{Field: f.Name, Value: dict.MustString("www.example.org")})
		case dict.Bool:
			cells = append(cells, dict.Cell{Field: f.Name, Value: dict.BoolValue(true)})
		}
	}
	cells = cells[:min(len(cells), 35)]
	dump := func() (flows []conntrack.Flow) {
		if err := kernel.Dump(func(f *conntrack.Flow) { flows = append(flows, *f) }); err != nil {
			b.Fatal(err)
		}
		return flows
	}
	var rows []dict.Row
	for _, f := range dump() {
		rows = append(rows, dict.Row{Key: dict.CtID(f.ID), Cells: cells})
	}
	if err := store.Put(dict.Sessions, rows...); err != nil {
		b.Fatal(err)
	}
	var worst time.Duration
	carried := 0
	for b.Loop() {
		b.StopTimer()
		flows := dump()
		b.StartTimer()
		start := time.Now()
		if missing, err := carrier.Carry(flows); err != nil || len(missing) > 0 {
			b.Fatalf("%d are missing: %v", len(missing), err)
		}
		for at := 0; at < len(rows); at += 32 {
			part := rows[at:min(len(rows), at+32)]
			for i := range part {
				part[i].Key = dict.CtID(part[i].Key.Uint32() ^ 1)
			}
			if err := store.Put(dict.Sessions, part...); err != nil {
				b.Fatal(err)
			}
		}
		worst, carried = max(worst, time.Since(start)), len(flows)
	}
	b.ReportMetric(float64(carried), "connections")
	b.ReportMetric(worst.Seconds(), "worst-s")
}
