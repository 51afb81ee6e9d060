// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"testing"

	"nftdict/dict"
)

// Bench measures a store: one cell set in one of many rows, batches of 1000
// rows of 4 fields (reported as fields/s too), and reading a row of 4 fields.
// Memory is for the caller to measure.
func Bench(b *testing.B, open func(testing.TB) dict.Store) {
	const rows = 1000
	tab := dict.Table{Name: "bench", Key: dict.KeyInt, Limit: 4 * rows, Fields: []dict.Field{
		{Name: "application", Type: dict.String}, {Name: "client_address", Type: dict.Address}, {Name: "client_port", Type: dict.Int}, {Name: "session_id", Type: dict.Int64},
	}}
	batch := make([]dict.Row, rows)
	for i := range batch {
		batch[i] = row(dict.IntKey(uint32(i)), "application", str(fmt.Sprint("APPLICATION", i%100)), "client_address", addr("192.168.1.77"),
			"client_port", dict.IntValue(int32(i)), "session_id", num(int64(i)<<32))
	}
	fill := func(b *testing.B) dict.Store {
		s := open(b)
		must(b, s.AddTable(tab))
		must(b, s.Put("bench", batch...))
		return s
	}
	b.Run("set", func(b *testing.B) {
		s := fill(b)
		r := row(dict.IntKey(0), "client_port", dict.IntValue(443))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r.Key = batch[i%rows].Key
			if err := s.Put("bench", r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("batch", func(b *testing.B) {
		s := fill(b)
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Put("bench", batch...); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*rows*len(tab.Fields))/b.Elapsed().Seconds(), "fields/s")
	})
	b.Run("get", func(b *testing.B) {
		s := fill(b)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := s.Get("bench", batch[i%rows].Key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
