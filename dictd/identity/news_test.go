// SPDX-License-Identifier: MIT

package identity

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nftdict/dict/dicttest"
	"nftdict/dictd/event"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/identity/overheard"
)

// TestNews has each change told once, when rows say so, and nothing else.
func TestNews(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	store, log := dicttest.NewStandard(t), event.New(0, clock)
	state := OpenState(t.TempDir())
	t.Cleanup(func() { state.Close() })
	cfg := Config{Store: store, Hosts: 10, Addresses: 10, Age: time.Hour, State: state, Clock: clock, Events: log}
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	reader := log.Subscribe(log.Position(), event.Filter{})
	defer reader.Close()
	expect := func(what, want string) {
		t.Helper()
		d.Flush()
		var got []string
		for {
			var buf [8]event.Event
			n, _ := reader.ReadWithin(context.Background(), time.Millisecond, buf[:])
			for _, e := range buf[:n] {
				word := fmt.Sprint(e.Kind, " ", e.Subject)
				if b, ok := e.Data.(Bound); ok {
					word += " " + b.MAC
				}
				got = append(got, word)
			}
			if n == 0 {
				break
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	a := netip.MustParseAddr("10.0.0.9")
	first, second := [6]byte{2, 0, 0, 0, 0, 1}, [6]byte{2, 0, 0, 0, 0, 2}
	hear := func(mac [6]byte) {
		now = now.Add(time.Minute)
		d.Neighbours(&neighbour.Update{Neighbours: []neighbour.Neighbour{{Addr: a, MAC: mac, Interface: "lan0"}}})
	}
	hear(first)
	expect("a neighbour", "host-new 10.0.0.9, device-new 02:00:00:00:00:01")
	hear(first)
	d.Tend()
	expect("the same", "")
	if err := d.Bind(first, "bob"); err != nil {
		t.Fatal(err)
	}
	expect("bound", "host-changed 10.0.0.9, device-changed 02:00:00:00:00:01, user-bound bob 02:00:00:00:00:01, user-new bob")
	if err := d.SetUser("bob", []string{"staff"}); err != nil {
		t.Fatal(err)
	}
	expect("in a group", "user-changed bob")
	if err := d.SetUser("bob", []string{"staff"}); err != nil {
		t.Fatal(err)
	}
	expect("again", "")

	again, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d = again
	hear(first)
	expect("another run", "")

	d.Heard(&overheard.Message{MAC: first, Names: []overheard.Named{{Name: "laptop"}}})
	expect("a name", "host-changed 10.0.0.9, device-changed 02:00:00:00:00:01")
	if err := d.DeleteUser("bob"); err != nil {
		t.Fatal(err)
	}
	expect("without its user", "host-changed 10.0.0.9, device-changed 02:00:00:00:00:01, user-unbound bob 02:00:00:00:00:01, user-gone bob")
	hear(second)
	d.Flush()
	var kinds []event.Kind
	for len(kinds) < 3 {
		var buf [1]event.Event
		if _, err := reader.Read(t.Context(), buf[:]); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, buf[0].Kind)
	}
	for _, k := range []event.Kind{event.HostChanged, event.DeviceNew, event.DeviceGone} {
		if !strings.Contains(fmt.Sprint(kinds), k.String()) {
			t.Errorf("another device: %v, want %v", kinds, k)
		}
	}
	now = now.Add(2 * time.Hour)
	d.Tend()
	expect("aged", "host-gone 10.0.0.9, device-gone 02:00:00:00:00:02")
}
