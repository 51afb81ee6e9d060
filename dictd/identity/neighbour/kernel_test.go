// SPDX-License-Identifier: MIT

package neighbour

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nftdict/internal/lab"
	"nftdict/internal/lab/labtest"
	"nftdict/internal/need"
)

// The lab's gateway listens:
//
//	client, 192.168.77.2 and fd77::2 ---- lan0 gateway wan0 ---- internet (default route)

const patience = 20 * time.Second

// heard is what a Listener has told.
type heard struct {
	mu     sync.Mutex
	last   map[netip.Addr]Neighbour
	inside []string
	count  int
	moved  map[[6]byte]int
	all    bool
}

func (h *heard) Handle(u *Update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range u.Neighbours {
		h.last[n.Addr] = n
		h.count++
	}
	if u.Inside != nil {
		h.inside = slices.Clone(u.Inside)
	}
}

func (h *heard) Moved(macs [][6]byte, all bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, mac := range macs {
		h.moved[mac]++
	}
	h.all = h.all || all
}

func (h *heard) of(addr string) (Neighbour, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, ok := h.last[netip.MustParseAddr(addr)]
	return n, ok
}

func listen(t *testing.T, l *lab.Lab, interfaces ...string) (*heard, *Listener) {
	t.Helper()
	h := &heard{last: map[netip.Addr]Neighbour{}, moved: map[[6]byte]int{}}
	n, err := Listen(Config{NetNS: l.Gateway.FD(), Interfaces: interfaces, Handle: h.Handle, Moved: h.Moved})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, n.Close()); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "all is read", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.inside != nil })
	return h, n
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func ip(t *testing.T, ns *lab.Namespace, args ...string) {
	t.Helper()
	if out, err := ns.Command(t.Context(), need.Program(t, "ip"), args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %q: %v\n%s", args, err, out)
	}
}

func ping(t *testing.T, ns *lab.Namespace, addr netip.Addr) {
	t.Helper()
	if out, err := ns.Command(t.Context(), need.Program(t, "ping"), "-c1", "-W5", addr.String()).CombinedOutput(); err != nil {
		t.Fatalf("ping: %v\n%s", err, out)
	}
}

func TestRealNeighbours(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	h, n := listen(t, l)
	ping(t, l.Client, lab.GatewayLAN4)
	ping(t, l.Client, lab.GatewayLAN6)
	ping(t, l.Internet, lab.GatewayWAN4)
	for _, addr := range []netip.Addr{lab.Client4, lab.Client6} {
		eventually(t, addr.String()+" is told", func() bool { _, ok := h.of(addr.String()); return ok })
		got, _ := h.of(addr.String())
		if got.MAC != [6]byte{2, 0, 0, 0, 0x77, 2} || got.Interface != "lan0" {
			t.Errorf("told %+v", got)
		}
	}
	if got, ok := h.of(lab.Internet4.String()); ok {
		t.Errorf("what is outside is told: %+v", got)
	}
	if !slices.Equal(h.inside, []string{"lan0"}) {
		t.Errorf("inside are %v", h.inside)
	}
	// Another device, in the same way in which it would appear on the wire.
	ip(t, l.Client, "link", "set", "eth0", "address", "02:00:00:00:77:99")
	ip(t, l.Gateway, "neigh", "flush", "dev", "lan0")
	ping(t, l.Client, lab.GatewayLAN4)
	eventually(t, "the new MAC is told", func() bool { got, _ := h.of(lab.Client4.String()); return got.MAC[5] == 0x99 })

	// A default route by lan0 makes it outside, and its end inside again.
	ip(t, l.Gateway, "route", "add", "default", "via", lab.Client4.String(), "dev", "lan0", "metric", "900")
	inside := func() string { h.mu.Lock(); defer h.mu.Unlock(); return strings.Join(h.inside, " ") }
	eventually(t, "lan0 is outside", func() bool { return inside() == "" })
	ip(t, l.Gateway, "route", "del", "default", "via", lab.Client4.String(), "dev", "lan0", "metric", "900")
	eventually(t, "lan0 is inside", func() bool { return inside() == "lan0" })
	ip(t, l.Gateway, "link", "set", "lan0", "down")
	ip(t, l.Gateway, "link", "set", "lan0", "name", "home")
	ip(t, l.Gateway, "link", "set", "home", "up")
	eventually(t, "the new name", func() bool { return inside() == "home" })
	if s := n.Stats(); s.Events == 0 || s.Overruns != 0 || s.Resyncs < 3 {
		t.Errorf("counted %+v", s)
	}
}

// Another router behind the address of before is told, as all of whom may be behind it.
func TestRouter(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	h, _ := listen(t, l)
	router := func(mac string) {
		ip(t, l.Gateway, "neigh", "replace", lab.Internet4.String(), "lladdr", mac, "dev", "wan0")
		ip(t, l.Gateway, "neigh", "replace", lab.Client4.String(), "lladdr", mac, "dev", "lan0")
		eventually(t, "the neighbour inside is told", func() bool {
			got, _ := h.of(lab.Client4.String())
			return fmt.Sprintf("%x", got.MAC[5]) == mac[len(mac)-1:]
		})
	}
	told := func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.all }
	router("02:00:00:00:00:01")
	router("02:00:00:00:00:01")
	if told() {
		t.Error("told of the one there was")
	}
	router("02:00:00:00:00:02")
	eventually(t, "the other router is told", told)
}

func TestNamedInterfaces(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	h, _ := listen(t, l, "wan0")
	ping(t, l.Client, lab.GatewayLAN4)
	ping(t, l.Internet, lab.GatewayWAN4)
	eventually(t, "the internet is told", func() bool { _, ok := h.of(lab.Internet4.String()); return ok })
	if got, ok := h.of(lab.Client4.String()); ok {
		t.Errorf("what is not named is told: %+v", got)
	}
}

// What is lost is made up for by reading all.
func TestFlood(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	h, n := listen(t, l)
	const hosts = 3000
	var batch strings.Builder
	for round := range 3 {
		for i := range hosts {
			fmt.Fprintf(&batch, "neigh replace fd77::1:%x lladdr 02:00:00:0%d:%02x:%02x dev lan0\n", i, round, i>>8, i&0xff)
		}
	}
	cmd := l.Gateway.Command(t.Context(), need.Program(t, "ip"), "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ip -batch: %v\n%s", err, out)
	}
	eventually(t, "the last of every address is told", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		fit := 0
		for _, got := range h.last {
			if got.MAC[3] == 2 {
				fit++
			}
		}
		return fit == hosts
	})
	t.Logf("counted %+v, told %d", n.Stats(), h.count)
}

// TestReadAgain: what cannot be read is told once, and read when it can be.
func TestReadAgain(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	h := &heard{last: map[netip.Addr]Neighbour{}}
	failed := make(chan error, 100)
	n, err := Listen(Config{NetNS: l.Gateway.FD(), Handle: h.Handle, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ask.SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	select {
	case <-failed:
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	}
	eventually(t, "it is tried again", func() bool { return n.resyncs.Load() > 2 })
	if err := n.ask.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is read", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return h.inside != nil })
	if len(failed) > 0 {
		t.Errorf("told %d times more", len(failed))
	}
	cancel()
	if err := errors.Join(<-done, n.Close()); err != nil {
		t.Error(err)
	}
}

// Who is behind another port of a bridge than before is told, whether he was there before
// it was listened or has been forgotten meanwhile; also where many move.
func TestBridge(t *testing.T) {
	l := labtest.New(t, lab.Config{})
	batch := func(program, lines string) {
		t.Helper()
		cmd := l.Gateway.Command(t.Context(), need.Program(t, program), "-batch", "-")
		cmd.Stdin = strings.NewReader(lines)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s -batch: %v\n%s", program, err, out)
		}
	}
	batch("ip", "link add br9 type bridge\nlink add p1 type veth peer name p2\nlink set p1 master br9\nlink set p2 master br9\n")
	const before, forgotten, stays = "02:00:00:00:09:01", "02:00:00:00:09:02", "02:00:00:00:09:03"
	at := func(mac, port string) string { return "fdb replace " + mac + " dev " + port + " master static\n" }
	batch("bridge", at(before, "p1")+at(stays, "p1"))
	h, n := listen(t, l)
	batch("bridge", at(forgotten, "p2")+"fdb del "+forgotten+" dev p2 master\n")
	batch("bridge", at(before, "p2")+at(forgotten, "p1")+at(stays, "p1"))
	told := func() (two, other bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.moved[[6]byte{2, 0, 0, 0, 9, 1}] == 1 && h.moved[[6]byte{2, 0, 0, 0, 9, 2}] == 1, len(h.moved) > 2 || h.all
	}
	eventually(t, "those who moved are told", func() bool { two, _ := told(); return two })
	if _, other := told(); other {
		t.Errorf("told of %v, all %v", h.moved, h.all)
	}
	var storm strings.Builder
	for _, port := range []string{"p1", "p2", "p1"} {
		for i := range 3000 {
			storm.WriteString(at(fmt.Sprintf("02:00:00:01:%02x:%02x", i>>8, i&0xff), port))
		}
	}
	batch("bridge", storm.String())
	eventually(t, "a storm is told", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.moved) > 2000 || h.all })
	t.Logf("counted %+v, told %d, all %v", n.Stats(), len(h.moved), h.all)
}
