// SPDX-License-Identifier: MIT

package test

import (
	"net"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"nftdict/internal/lab"
)

// addAll puts every established connection into the flowtable.
const addAll = "meta l4proto { tcp, udp } ct state established flow add @f"

// TestHardware: a flowtable gives connections to the card, which then forwards
// them where no hook of the stack sees them; conntrack says so and is told what
// they move.
func TestHardware(t *testing.T) {
	p := newPath(t, true, "flags offload", addAll)
	c := p.dial(p.Client, lab.Internet4)
	c6 := p.dial(p.Client, lab.Internet6)
	p.carried(c, statusHardware)
	p.carried(c6, statusHardware)
	s := p.card.State()
	from, to := ap(c.LocalAddr()), ap(c.RemoteAddr())
	for _, d := range []string{"lan0", "lan1", "wan0"} {
		if !slices.Contains(s.Devices, d) {
			t.Errorf("%s is not bound: %v", d, s.Devices)
		}
	}
	found := 0
	for _, r := range s.Rules {
		if r.In == "lan0" && r.Out == "wan0" && r.From == from && r.To == to || r.In == "wan0" && r.Out == "lan0" && r.From == to && r.To == from {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d rules of the connection, want 2: %+v", found, s.Rules)
	}

	const size = 1 << 20
	early, slow := p.counter("netdev early", "early"), p.counter("inet t", "slow")
	p.talk(c, size)
	p.talk(c6, size)
	if d := p.counter("inet t", "slow") - slow; d > 20 {
		t.Errorf("%d packets went through forward", d)
	}
	// Neighbours are looked for now and then.
	if d := p.counter("netdev early", "early") - early; d > 20 {
		t.Errorf("%d packets went through ingress", d)
	}
	if d := p.card.State().Bytes - s.Bytes; d < 4*size {
		t.Errorf("the card forwarded %d bytes of %d", d, 4*size)
	}
	p.until("conntrack has the card's figures", func() bool {
		e := p.entry(c)
		return e.CountersOrig.Bytes > size && e.CountersReply.Bytes > size
	})
	for _, r := range p.card.State().Rules {
		if r.Told > r.Bytes {
			t.Errorf("more was told than forwarded: %+v", r)
		}
	}
}

// TestHardwareRefuses: what the card does not take is carried in software, and
// the card has counted that.
func TestHardwareRefuses(t *testing.T) {
	p := newPath(t, true, "flags offload", addAll)
	p.card.Refuse(-1)
	c := p.dial(p.Client, lab.Internet4)
	p.carried(c, statusOffload)
	slow := p.counter("inet t", "slow")
	p.talk(c, 1<<20)
	if p.is(c, statusHardware) {
		t.Error("the connection is in the card that refused it")
	}
	if d := p.counter("inet t", "slow") - slow; d > 20 {
		t.Errorf("%d packets went through forward", d)
	}
	if s := p.card.State(); s.Refused < 2 || s.Accepted != 0 || s.Packets != 0 {
		t.Errorf("the card refused %d rules, accepted %d and forwarded %d packets", s.Refused, s.Accepted, s.Packets)
	}
	p.card.Refuse(0)
	p.carried(c, statusHardware) // it is asked again and again
}

// TestHardwareGoes: the card's module goes while it forwards; connections go on
// without it, and with it when it has come again and the flowtable is made anew.
func TestHardwareGoes(t *testing.T) {
	p := newPath(t, true, "flags offload", addAll)
	file := moduleFile(t, "fakenic.ko")
	conns := make([]net.Conn, 4)
	for i := range conns {
		conns[i] = p.dial(p.Client, lab.Internet4)
		p.carried(conns[i], statusHardware)
	}
	if err := unix.DeleteModule("fakenic", unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := os.Stat("/sys/module/fakenic"); err != nil {
			insert(t, file)
		}
	})
	for _, c := range conns {
		p.talk(c, 10_000)
		if p.is(c, statusHardware) {
			t.Error("a connection is in hardware that is gone")
		}
	}
	insert(t, file)
	p.card.Claim("lan0", "lan1", "wan0")
	if err := p.nft("flush table inet t\ndelete flowtable inet t f\n" +
		"table inet t { flowtable f { hook ingress priority 0; devices = { lan0, wan0 }; counter; flags offload; }; chain c { " + addAll + "; }; }"); err != nil {
		t.Fatal(err)
	}
	p.carried(conns[0], statusHardware)
	if err := p.nft("delete table inet t"); err != nil {
		t.Fatal(err)
	}
	p.talk(conns[0], 10_000)
	if s := p.card.State(); len(s.Rules) != 0 || len(s.Devices) != 0 {
		t.Errorf("of a flowtable that is gone the card still has %+v", s)
	}
}
