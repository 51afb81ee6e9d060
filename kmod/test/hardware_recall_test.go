// SPDX-License-Identifier: MIT

package test

import (
	"net"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// TestHardwareRecall: a download in the card whose application is not wanted any more
// stops within 100 ms, and stays the connection that it was; another, of another
// client, goes on in the card.
func TestHardwareRecall(t *testing.T) {
	p := newPath(t, true, "flags offload", "")
	store := p.judge(t)
	offload := func(k net.Conn) {
		t.Helper()
		p.talk(k, 1000)
		say(t, store, p.entry(k).ID, true, "VIDEO")
		p.carried(k, statusHardware)
	}
	other := p.dial(p.Guest, lab.Internet6)
	offload(other)
	least := time.Hour
	for range 3 { // machines may be busy for a moment
		c := p.dial(p.Client, lab.Internet4)
		offload(c)
		last := stream(t, c)
		time.Sleep(100 * time.Millisecond)
		slow := p.counter("inet t", "slow")
		p.talk(other, 50_000)
		if d := p.counter("inet t", "slow") - slow; d > 20 {
			t.Errorf("before the recall %d packets went through forward", d)
		}
		was := p.entry(c)
		var looked time.Time
		p.until("the card forwards answers", func() bool {
			looked = time.Now()
			before := p.answers(c)
			time.Sleep(10 * time.Millisecond)
			return p.answers(c) > before+10_000
		})
		say(t, store, was.ID, false, "BLOCKED")
		asked := time.Now()
		missing, err := store.Recall([]uint32{was.ID})
		took := time.Since(asked)
		if err != nil || len(missing) != 0 {
			t.Fatalf("recall: missing %v, %v", missing, err)
		}
		ends := <-last
		stops := ends.Sub(asked)
		if ends.Before(looked) {
			t.Errorf("the download stopped %v before it was asked to", -stops)
		}
		t.Logf("the recall takes %v, the download stops %v after it was asked for", took, stops)
		least = min(least, stops)
		is := p.entry(c)
		if is.ID != was.ID || uint32(is.Status)&(statusOffload|statusHardware) != 0 || is.CountersOrig.Bytes < was.CountersOrig.Bytes {
			t.Errorf("it was %d with %d bytes, and is %d with status %x and %d bytes", was.ID, was.CountersOrig.Bytes, is.ID, uint32(is.Status), is.CountersOrig.Bytes)
		}
		p.until("the card has the other's rules alone", func() bool { return len(p.card.State().Rules) == 2 })
		if !p.is(other, statusHardware) {
			t.Error("the other connection has left the card")
		}
		c.Close()
	}
	if least > 100*time.Millisecond {
		t.Errorf("a download stops %v after it was asked to", least)
	}
	before := p.card.State().Packets
	p.talk(other, 50_000)
	if d := p.card.State().Packets - before; d < 50 {
		t.Errorf("the card forwarded %d packets of the other connection", d)
	}
}

// answers returns the bytes that the card has forwarded to who opened a connection.
func (p *path) answers(c net.Conn) uint64 {
	p.tb.Helper()
	from, to := ap(c.RemoteAddr()), ap(c.LocalAddr())
	for _, r := range p.card.State().Rules {
		if r.From == from && r.To == to {
			return r.Bytes
		}
	}
	p.tb.Fatalf("the card has no rule from %v to %v", from, to)
	return 0
}

// stream has a connection send and be answered without an end, until it is closed.
// What is returned tells when the last answer came, as soon as none has for a second.
func stream(t *testing.T, c net.Conn) <-chan time.Time {
	last := make(chan time.Time, 1)
	go func() {
		buf, seen := make([]byte, 1<<14), time.Now()
		for c.SetReadDeadline(time.Now().Add(time.Second)) == nil {
			if _, err := c.Read(buf); err != nil {
				break
			}
			seen = time.Now()
		}
		last <- seen
	}()
	go func() {
		buf := make([]byte, 1<<14)
		for c.SetWriteDeadline(time.Now().Add(patience)) == nil {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	}()
	return last
}

// patience is for how long a connection is waited for.
const patience = 20 * time.Second
