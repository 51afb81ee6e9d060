// SPDX-License-Identifier: MIT

package offload

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
	"nftdict/dictd/conntrack"
)

// fakeEntries make entries anew: the new id is carriedTo more than the old one.
type fakeEntries struct {
	asked  []uint32
	become map[uint32]error // what the answer is for some
	lookup error
}

const carriedTo = 10_000

func (e *fakeEntries) Carry(flows []conntrack.Flow, _ func(*conntrack.Flow) time.Duration) ([]conntrack.Carried, error) {
	all := make([]conntrack.Carried, len(flows))
	for i, f := range flows {
		e.asked = append(e.asked, f.ID)
		if all[i].Err = e.become[f.ID]; all[i].Err == nil {
			all[i].Now = f
			all[i].Now.ID += carriedTo
		}
	}
	return all, nil
}

func (e *fakeEntries) Lookup(conntrack.Tuple, uint16) (conntrack.Flow, error) {
	return conntrack.Flow{}, e.lookup
}

func (e *fakeEntries) Offloaded(func(*conntrack.Flow)) error { return nil }
func (e *fakeEntries) Close() error                          { return nil }

// meddled is a store with somebody who meddles.
type meddled struct {
	*dicttest.Mem
	get, put func(dict.Key) error
	deleted  func(dict.Key)
}

func (m *meddled) Get(table string, key dict.Key) (dict.Row, error) {
	if m.get != nil {
		if err := m.get(key); err != nil {
			return dict.Row{}, err
		}
	}
	return m.Mem.Get(table, key)
}

func (m *meddled) Put(table string, rows ...dict.Row) error {
	var errs []error
	for _, r := range rows {
		var err error
		if m.put != nil {
			err = m.put(r.Key)
		}
		if err == nil {
			err = m.Mem.Put(table, r)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (m *meddled) Delete(table string, key dict.Key, fields ...string) error {
	err := m.Mem.Delete(table, key, fields...)
	if err == nil && m.deleted != nil {
		m.deleted(key)
	}
	return err
}

// carrierRig is a Carrier of connections 1 to n, each with a row that says which it is.
type carrierRig struct {
	*Carrier
	kernel *fakeEntries
	store  *meddled
	flows  []conntrack.Flow
}

func newCarrierRig(t *testing.T, n, limit int) *carrierRig {
	t.Helper()
	r := &carrierRig{kernel: &fakeEntries{}, store: &meddled{Mem: dicttest.NewMem(nil)}}
	for _, table := range dict.Standard(limit) {
		if err := r.store.AddTable(table); err != nil {
			t.Fatal(err)
		}
	}
	for id := uint32(1); id <= uint32(n); id++ {
		if err := r.store.Put(dict.Sessions, r.row(id)); err != nil {
			t.Fatal(err)
		}
		r.flows = append(r.flows, conntrack.Flow{ID: id})
	}
	r.Carrier = &Carrier{cfg: CarrierConfig{Store: r.store}, kern: r.kernel}
	return r
}

// row is that of a connection, under its first id.
func (r *carrierRig) row(id uint32) dict.Row {
	return dict.Row{Key: dict.CtID(id), Cells: []dict.Cell{{Field: "client_port", Value: dict.IntValue(int32(id))}}}
}

// left returns the ids that have a row, by connection.
func (r *carrierRig) left(t *testing.T) map[int64][]uint32 {
	t.Helper()
	left := make(map[int64][]uint32)
	for row, err := range r.store.Rows(dict.Sessions) {
		if err != nil {
			t.Fatal(err)
		}
		v, _ := row.Get("client_port")
		left[v.Int64()] = append(left[v.Int64()], row.Key.Uint32())
	}
	return left
}

// Each connection has its row, and no other, however much room there is beside.
func TestCarryFull(t *testing.T) {
	const n = 100
	stranger := func(r *carrierRig, times int) func(dict.Key) {
		return func(dict.Key) { // is faster than whoever has made room
			if times--; times >= 0 {
				if err := r.store.Mem.Put(dict.Sessions, dict.Row{Key: dict.CtID(uint32(90_000 + times))}); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for _, c := range []struct{ room, strangers int }{
		{0, 0}, {1, 0}, {20, 0}, {carryPart, 0}, {60, 0}, {n - 1, 0}, {n, 0},
		{1, 1}, {20, 5}, {40, 8},
	} {
		t.Run(fmt.Sprintf("%d places and %d strangers", c.room, c.strangers), func(t *testing.T) {
			r := newCarrierRig(t, n, n+c.room)
			r.store.deleted = stranger(r, c.strangers)
			missing, err := r.Carry(r.flows)
			if len(missing) > 0 || err != nil {
				t.Errorf("missing are %d: %v", missing, err)
			}
			left := r.left(t)
			for i := range int64(n) {
				if got := left[i+1]; len(got) != 1 || got[0] != uint32(i+1+carriedTo) {
					t.Errorf("connection %d has the rows %d", i+1, got)
				}
			}
			if strangers := len(left[0]); strangers != c.strangers || len(left) > n+1 {
				t.Errorf("%d strangers in %v", strangers, left)
			}
		})
	}
}

// While there is room no row is without its connection's, and none is deleted before all have theirs.
func TestCarryRoom(t *testing.T) {
	const n = 3 * carryPart
	r := newCarrierRig(t, n, 2*n)
	deleted := 0
	r.store.deleted = func(dict.Key) {
		if deleted++; len(r.kernel.asked) != n {
			t.Errorf("a row is deleted when %d of %d are back", len(r.kernel.asked), n)
		}
	}
	if missing, err := r.Carry(r.flows); len(missing) > 0 || err != nil || deleted != n {
		t.Errorf("missing are %d, %d are deleted: %v", missing, deleted, err)
	}
}

// Where some rows have found no room those of before make it for the parts behind.
func TestCarryMakesRoom(t *testing.T) {
	const spare = 10
	r := newCarrierRig(t, 3*carryPart, 4*carryPart+spare)
	if missing, err := r.Carry(r.flows); len(missing) > 0 || err != nil {
		t.Errorf("missing are %d: %v", len(missing), err)
	}
	if s, err := r.store.Stats(dict.Sessions); err != nil || s.Refused != carryPart-spare {
		t.Errorf("%d rows found no room at first, want %d: %v", s.Refused, carryPart-spare, err)
	}
}

// Whose row cannot be read stays where it is, with its row; so does what conntrack says nothing of.
func TestCarryUnknown(t *testing.T) {
	broken := errors.New("broken")
	r := newCarrierRig(t, 40, 80)
	r.store.get = func(k dict.Key) error {
		if k.Uint32()%10 == 3 {
			return broken
		}
		return nil
	}
	r.kernel.lookup = broken
	r.kernel.become = map[uint32]error{5: conntrack.ErrTaken, 6: conntrack.ErrNotFound}
	missing, err := r.Carry(r.flows)
	if want := []uint32{3, 5, 13, 23, 33}; !slices.Equal(slices.Sorted(slices.Values(missing)), want) || !errors.Is(err, broken) {
		t.Errorf("missing are %d: %v", missing, err)
	}
	left := r.left(t)
	for id := uint32(1); id <= 40; id++ {
		want := []uint32{id + carriedTo}
		switch {
		case id%10 == 3 || id == 5:
			want = []uint32{id}
		case id == 6: // it had ended
			want = nil
		}
		if !slices.Equal(left[int64(id)], want) {
			t.Errorf("connection %d has the rows %d, want %d", id, left[int64(id)], want)
		}
		if asked := slices.Contains(r.kernel.asked, id); asked != (id%10 != 3) {
			t.Errorf("connection %d is made anew: %v", id, asked)
		}
	}
}

// A row that is refused for something else is written again; if that does not help, what was there stays.
func TestCarryRefused(t *testing.T) {
	broken := errors.New("broken")
	r := newCarrierRig(t, 10, 80)
	fail := map[uint32]int{3 + carriedTo: 1, 5 + carriedTo: 9}
	r.store.put = func(k dict.Key) error {
		if id := k.Uint32(); fail[id] > 0 {
			fail[id]--
			return broken
		}
		return nil
	}
	if missing, err := r.Carry(r.flows); len(missing) > 0 || !errors.Is(err, broken) {
		t.Errorf("missing are %d: %v", missing, err)
	}
	left := r.left(t)
	for id, want := range map[int64]uint32{1: 1 + carriedTo, 3: 3 + carriedTo, 5: 5} {
		if !slices.Equal(left[id], []uint32{want}) {
			t.Errorf("connection %d has the rows %d, want %d", id, left[id], want)
		}
	}
}
