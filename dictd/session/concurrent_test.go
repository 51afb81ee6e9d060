// SPDX-License-Identifier: MIT

package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"nftdict/dictd/conntrack"
)

// lyingKernel answers at random, from any goroutine.
type lyingKernel struct{}

func (lyingKernel) Drain() error { return nil }

func (lyingKernel) Lookup(t conntrack.Tuple, _ uint16) (conntrack.Flow, error) {
	if rand.IntN(2) == 0 {
		return flow(uint32(rand.IntN(8)), t), nil
	}
	return conntrack.Flow{}, fmt.Errorf("double: %w", conntrack.ErrNotFound)
}

func (lyingKernel) Dump(f func(*conntrack.Flow)) error {
	for range rand.IntN(5) {
		entry := flow(uint32(rand.IntN(8)), tuple(uint16(rand.IntN(6))))
		f(&entry)
	}
	return nil
}

// idleRows keeps nothing, but needs the locks that real rows need.
type idleRows struct{}

func (idleRows) Delete(uint32)            {}
func (idleRows) Write(s *Session, _ bool) { s.Changes(nil) }
func (idleRows) Name(*Session)            {}
func (idleRows) Tell([]*Session)          {}
func (idleRows) Renew([]uint32)           {}
func (idleRows) Settle(*Session)          {}
func (idleRows) Wanted(uint32) bool       { return false }

// Whatever comes from wherever: no deadlock, no race, and the indices agree.
func TestConcurrency(t *testing.T) {
	table := New(Config{Kernel: lyingKernel{}, Rows: idleRows{}, Limit: 20, Now: time.Now()})
	const goroutines, steps = 4, 5000
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 1))
			for range steps {
				id, tu := uint32(rng.IntN(8)), tuple(uint16(rng.IntN(6)))
				switch rng.IntN(10) {
				case 0, 1, 2:
					if s, _, _ := table.Resolve(&Packet{ID: id, Tuple: tu, First: true}, time.Now()); s != nil {
						s.Packets++
						s.Changes(nil)
						s.Unlock()
					}
				case 3, 4, 5:
					if s, _, _ := table.Resolve(&Packet{ID: id, Tuple: tu}, time.Now()); s != nil {
						s.Packets++
						s.Unlock()
					}
				case 6, 7:
					table.Handle(&conntrack.Event{Kind: conntrack.New, Flow: flow(id, tu)})
				case 8:
					table.Handle(&conntrack.Event{Kind: conntrack.Destroy, Flow: flow(id, tu)})
				case 9:
					table.Expire(time.Now().Add(time.Duration(rng.IntN(60)) * time.Second))
					if rng.IntN(20) == 0 {
						if err := table.Reconcile(time.Now(), nil, nil); err != nil {
							t.Error(err)
						}
					}
					for _, s := range table.All() {
						if s.Lock() {
							s.Whole(nil)
							s.Unlock()
						}
					}
				}
			}
		})
	}
	wg.Wait()
	known := make(map[*Session]bool)
	for p, s := range table.tuples {
		known[s] = true
		if p != (place{s.orig, s.zone}) || s.dead {
			t.Errorf("session %d is kept where it is not: %v", s.serial, s.dead)
		}
		for _, id := range s.IDs(nil) {
			if !slices.Contains(table.Find(id), s) {
				t.Errorf("session %d is not found by its id %d", s.serial, id)
			}
		}
	}
	for id := range uint32(8) {
		for _, s := range table.Find(id) {
			if !known[s] {
				t.Errorf("id %d finds session %d, which has ended", id, s.serial)
			}
			if s.shared != table.ids.ambiguous(id) && len(s.others()) == 0 {
				t.Errorf("session %d of id %d: shared %v", s.serial, id, s.shared)
			}
		}
	}
}
