// SPDX-License-Identifier: MIT

package dictd

import (
	"testing"
	"time"

	"nftdict/dictd/conntrack"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// A daemon dies between making a connection's entry anew and writing its row: the next
// one gives the row back.
func TestRowsAreRegained(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	on := openEBPF(t, l.Gateway)
	d := startOn(t, l.Gateway, on, nil)
	visit, err := l.Browser().Open("https://www.netflix.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer visit.Close()
	get := func() {
		t.Helper()
		if _, err := visit.Get(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	get()
	is := map[string]string{"application": "NETFLIX", "bypass_packetd": "true"}
	eventually(t, "it is finished", func() bool { return len(rows(t, on.Store, is)) == 1 })
	was := one(t, on.Store, is).Key
	d.stop()

	kernel, err := conntrack.Dial(l.Gateway.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	var flows []conntrack.Flow
	if err := kernel.Dump(func(f *conntrack.Flow) {
		if f.ID == was.Uint32() {
			flows = append(flows, *f)
		}
	}); err != nil {
		t.Fatal(err)
	}
	made, err := kernel.Carry(flows, func(*conntrack.Flow) time.Duration { return time.Minute })
	if err != nil || len(made) != 1 || made[0].Err != nil {
		t.Fatalf("%+v, %v", made, err)
	}
	startOn(t, l.Gateway, on, nil)
	row := one(t, on.Store, is)
	if row.Key.Uint32() != made[0].Now.ID {
		t.Errorf("the row is that of %v, was that of %v, and the connection is %d", row.Key, was, made[0].Now.ID)
	}
	get()
}
