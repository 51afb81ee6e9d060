// SPDX-License-Identifier: MIT

package dictd

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/dictd/identity"
	"nftdict/dictd/identity/neighbour"
	"nftdict/dictd/session"
	"nftdict/internal/cputime"
	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
)

// BenchmarkIdentify tells 10,000 live sessions of a client another user, on maps.
func BenchmarkIdentify(b *testing.B) {
	w := newWorker(b, openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store, 20000)
	for i := range 10000 {
		connect(w, uint32(i), netip.AddrPortFrom(client.Addr(), uint16(1000+i)))
	}
	names := []*session.Client{{Hostname: "a", Username: "al"}, {Hostname: "b", Username: "bo", Groups: "x"}}
	start := cputime.Used(b)
	for i := 0; b.Loop(); i++ {
		identify(w, client.Addr(), names[i%2])
	}
	cputime.Report(b, start)
	if failed := w.record.failed.Load(); failed > 0 {
		b.Errorf("%d writes failed", failed)
	}
}

// BenchmarkHosts makes 10,000 hosts known to a daemon that knows none, on maps.
func BenchmarkHosts(b *testing.B) {
	store := openEBPF(b, labtest.New(b, lab.Config{}).Gateway).Store
	update := neighbour.Update{Inside: []string{"lan0"}}
	for i := range 10000 {
		update.Neighbours = append(update.Neighbours, neighbour.Neighbour{
			Addr: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), MAC: [6]byte{2, 0, 0, 0, byte(i >> 8), byte(i)}, Interface: "lan0",
		})
	}
	start := cputime.Used(b)
	for b.Loop() {
		d, err := identity.New(identity.Config{Store: store, Hosts: 16384, Addresses: 64, Age: time.Hour, State: identity.OpenState(""), Clock: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		d.Neighbours(&update)
		d.Flush()
		if s := d.Stats(); s.Hosts != 10000 || s.Failed != 0 {
			b.Fatalf("counted %+v", s)
		}
	}
	cputime.Report(b, start)
}
