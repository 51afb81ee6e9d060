// SPDX-License-Identifier: MIT

package dicttest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"nftdict/dict"
)

// writers: many writers of the same rows, each with its own field, lose
// nothing, and no reader sees a cell go back.
func (x *suite) writers(t *testing.T) {
	const writers, rows, rounds = 4, 8, 150
	tab := dict.Table{Name: "shared", Key: dict.KeyInt, Limit: 100}
	for w := range writers {
		tab.Fields = append(tab.Fields, dict.Field{Name: fmt.Sprint("w", w), Type: dict.Int64})
	}
	s := x.with(t, tab)
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range int64(rounds) {
				for k := range uint32(rows) {
					if err := s.Put("shared", row(dict.IntKey(k), tab.Fields[w].Name, num(n+1))); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	stop := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			last := map[string]int64{}
			see := func(r dict.Row) {
				for _, c := range r.Cells {
					at := r.Key.Text() + c.Field
					if c.Value.Int64() < last[at] {
						t.Errorf("row %s: %s went from %d back to %s", r.Key.Text(), c.Field, last[at], c.Value.Text())
					}
					last[at] = c.Value.Int64()
				}
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				for k := range uint32(rows) {
					r, err := s.Get("shared", dict.IntKey(k))
					if err == nil {
						see(r)
					} else if !errors.Is(err, dict.ErrNotExist) {
						t.Error(err)
					}
				}
				for r, err := range s.Rows("shared") {
					if err != nil {
						t.Error(err)
						return
					}
					see(r)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	for k := range uint32(rows) {
		wantRow(t, s, "shared", dict.IntKey(k), "w0", num(rounds), "w1", num(rounds), "w2", num(rounds), "w3", num(rounds))
	}
	wantRows(t, s, "shared", rows)
}

// incarnations: a row that is deleted and put again is never seen half, nor
// with cells of its former life.
func (x *suite) incarnations(t *testing.T) {
	const keys = 4
	s := x.with(t, twins())
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		reading.Go(func() { readTwins(t, s, keys, stop) })
	}
	for k := range uint32(keys) {
		writing.Go(func() {
			for n := range int64(400) {
				if err := s.Put("twins", twin(k, n)); err != nil {
					t.Error(err)
					return
				}
				if err := s.Delete("twins", dict.IntKey(k)); err != nil {
					t.Error(err)
					return
				}
			}
			if err := s.Put("twins", twin(k, 1000)); err != nil {
				t.Error(err)
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	wantRows(t, s, "twins", keys)
	for k := range uint32(keys) {
		r, err := s.Get("twins", dict.IntKey(k))
		must(t, err)
		must(t, checkTwin(r))
	}
}
