// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

// killedWriter: a writer that is killed at any moment leaves whole rows and no
// lock. Readers see new rows whole all the while.
func (x *suite) killedWriter(t *testing.T) {
	s := x.with(t, begun(), twins(), dict.Table{Name: "typed", Key: dict.KeyInt, Limit: 10, Open: true})
	const rounds = 18
	for round := range rounds {
		op := []string{"fresh", "merge", "retype"}[round%3]
		kill, _ := x.start(t, s, op, round)
		stop := make(chan struct{})
		var reading sync.WaitGroup
		if op == "fresh" {
			reading.Go(func() { readTwins(t, s, twinKeys, stop) })
		}
		time.Sleep(rand.N(25 * time.Millisecond))
		kill()
		close(stop)
		reading.Wait()
		within(t, "work after a writer was killed", func() error {
			n := 0
			for r, err := range s.Rows("twins") {
				if err != nil {
					return err
				}
				if err := checkTwin(r); err != nil {
					return err
				}
				n++
			}
			st, err := s.Stats("twins")
			if err != nil {
				return err
			}
			if st.Rows != n || st.Refused != 0 {
				return fmt.Errorf("figures are %+v, %d rows are there", st, n)
			}
			for r, err := range s.Rows("typed") {
				if err != nil {
					return err
				}
				if err := checkTyped(r); err != nil {
					return err
				}
			}
			for k := range uint32(twinKeys) {
				if err := s.Put("twins", twin(k, int64(round))); err != nil {
					return err
				}
				r, err := s.Get("twins", dict.IntKey(k))
				if err != nil {
					return err
				}
				if err := checkTwin(r); err != nil {
					return err
				}
			}
			return nil
		})
		wantRows(t, s, "twins", twinKeys)
		if t.Failed() {
			return
		}
	}
}

// killedAdmin: a process killed while it adds and deletes tables and fields
// leaves a table or none, and no lock.
func (x *suite) killedAdmin(t *testing.T) {
	s := x.with(t, begun(), people(), dict.Table{Name: "free", Key: dict.KeyInt, Open: true})
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(1))))
	for round := range 12 {
		kill, _ := x.start(t, s, "admin", round)
		time.Sleep(rand.N(40 * time.Millisecond))
		kill()
		within(t, "work after an admin was killed", func() error {
			tables, err := s.Tables()
			if err != nil {
				return err
			}
			for _, tab := range tables {
				if _, err := tab.Normal(); err != nil {
					return err
				}
				for _, err := range s.Rows(tab.Name) {
					if err != nil {
						return err
					}
				}
				if tab.Name == "brittle" {
					if err := s.Put("brittle", row(dict.IntKey(2), "n", dict.IntValue(2))); err != nil {
						return err
					}
					if err := s.DeleteTable("brittle"); err != nil {
						return err
					}
				}
			}
			if err := s.AddTable(brittle()); err != nil {
				return err
			}
			return s.Put("free", row(dict.IntKey(2), fmt.Sprint("round", round), num(1)))
		})
		want, err := brittle().Normal()
		must(t, err)
		got, err := s.Table("brittle")
		must(t, err)
		same(t, "a table made anew after its maker was killed", got, want)
		wantRows(t, s, "brittle", 0)
		wantRow(t, s, "people", key("al"), "age", dict.IntValue(1))
		if round%2 == 0 {
			must(t, s.DeleteTable("brittle"))
		}
	}
}
