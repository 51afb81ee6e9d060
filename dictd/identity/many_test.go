// SPDX-License-Identifier: MIT

package identity

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dictd/event"
	"nftdict/dictd/identity/neighbour"
	"nftdict/internal/cputime"
)

// numbered returns the MAC and the address of the nth of many devices.
func numbered(n int) ([6]byte, netip.Addr) {
	m, a := [6]byte{2}, [4]byte{10}
	binary.BigEndian.PutUint32(m[2:], uint32(n))
	binary.BigEndian.PutUint32(a[:], 10<<24|uint32(n))
	return m, netip.AddrFrom4(a)
}

// crowd is a rig with n hosts, each of which has a user of its own.
func crowd(t *testing.T, n int) *rig {
	t.Helper()
	r := newRig(t, func(c *Config) { c.Hosts, c.Events = n, event.New(0, c.Clock) })
	update := &neighbour.Update{Neighbours: make([]neighbour.Neighbour, n)}
	for i := range n {
		mac, addr := numbered(i)
		update.Neighbours[i] = neighbour.Neighbour{Addr: addr, MAC: mac, Interface: "lan0"}
		if err := r.cfg.State.bind(mac, fmt.Sprintf("user %06d of a name that is rather long", i)); err != nil {
			t.Fatal(err)
		}
	}
	r.Neighbours(update)
	r.Flush()
	return r
}

// Many users, each with a device, cost as much for each as few do.
func TestManyUsers(t *testing.T) {
	cost := func(n int) time.Duration {
		r := crowd(t, n)
		start := cputime.Used(t)
		for r.Tend(); len(r.again.users) > 0; {
			r.Flush()
		}
		for i := range 100 {
			mac, _ := numbered(i)
			if err := r.Bind(mac, "somebody else"); err != nil {
				t.Fatal(err)
			}
		}
		return cputime.Used(t) - start
	}
	few, many := cost(1000), cost(16000)
	if many > 64*few {
		t.Errorf("1,000 users take %v of a processor, 16,000 %v", few, many)
	}
	t.Logf("1,000 users take %v of a processor, 16,000 %v", few, many)
}

// All rows are written again by and by, and what changes does not wait for that.
func TestRowsTakeTurns(t *testing.T) {
	const n = 3 * turn
	r := crowd(t, n)
	for i := range n {
		_, addr := numbered(i)
		if err := r.store.Delete(dict.Hosts, dict.AddrKey(addr)); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (all int) {
		for _, err := range r.store.Rows(dict.Hosts) {
			if err != nil {
				t.Fatal(err)
			}
			all++
		}
		return all
	}
	r.Tend()
	for i := range 3 {
		r.Tend() // it comes before all have had their turn
		if got := rows(); got > i*turn+2*i {
			t.Errorf("%d rows after %d turns", got, i)
		}
		mac, addr := numbered(n - 1 - i)
		if err := r.Bind(mac, "somebody else"); err != nil { // it flushes
			t.Fatal(err)
		}
		if row, err := r.store.Get(dict.Hosts, dict.AddrKey(addr)); err != nil || row.Cells == nil {
			t.Errorf("turn %d: what has changed waits: %v", i, err)
		}
	}
	if got := rows(); got != n {
		t.Errorf("%d rows are there again, want %d", got, n)
	}
}

// A list of which every element takes long holds nothing up, and tells of what is
// there then.
func TestListsHoldNothingUp(t *testing.T) {
	const n = 3 * turn
	r := crowd(t, n)
	told := 0
	for h := range r.EachHost(func(netip.Addr) bool { return true }) {
		if told++; told == 1 {
			r.clock.Advance(2 * time.Hour)
			r.Tend() // all but the first ones are forgotten
			r.Flush()
		}
		if _, want := numbered(told - 1); h.Address != want {
			t.Fatalf("host %d is %s, want %s", told, h.Address, want)
		}
	}
	if told != turn {
		t.Errorf("%d hosts are told of, want %d", told, turn)
	}
	_, last := numbered(n - 2)
	r.hear(last.Next().String(), [6]byte{2, 9}, 0)
	if all := slices.Collect(r.EachHost(last.Less)); len(all) != 1 || len(r.Hosts()) != 1 {
		t.Errorf("after %s: %+v", last, all)
	}
}
