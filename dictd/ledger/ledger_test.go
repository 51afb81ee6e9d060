// SPDX-License-Identifier: MIT

package ledger

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"nftdict/dictd/conntrack"
)

func TestRounds(t *testing.T) {
	w := newWorld(t, "")
	old := w.flow(7, inside, outside)
	old.Start--
	move(old, 1e6, 1e6) // before anybody looked
	w.poll()
	w.want(0, 0)
	move(old, 10, 20)
	w.poll()
	w.Follow([6]byte{2})
	f := w.flow(1, inside, outside)
	move(f, 100, 200)
	w.poll()
	w.want(110, 220)
	w.poll()
	w.want(110, 220)
	move(f, 1, 2)
	w.kernel.end(f)
	short := w.flow(2, inside, outside) // between two rounds
	move(short, 1000, 2000)
	w.kernel.end(short)
	w.poll()
	w.want(1111, 2222)
	if len(w.records) != 2 || w.records[0].FromServer.Bytes != 202 || w.records[0].Estimated || w.records[0].User != "bob" || w.records[0].Application != "VIDEO" {
		t.Errorf("records %+v", w.records)
	}
	one := w.cells[Key{inside.Addr(), [6]byte{2}, "bob", "VIDEO"}]
	if one == nil || one.use.Connections != 2 || len(w.cells) != 1 {
		t.Errorf("cells %+v", w.cells)
	}
	if u := w.Moved([6]byte{2}); u.Out.Bytes != 1111-10 || u.In.Bytes != 2222-20 || w.Moved([6]byte{3}) != (Use{}) {
		t.Errorf("since it is followed the device has moved %+v", u)
	}
	if w.Forget([6]byte{2}); w.Moved([6]byte{2}) != (Use{}) {
		t.Error("a device that nobody follows is remembered")
	}
	if s := w.Stats(); s.Original.Bytes != 1111 || s.Reply.Bytes != 2222 || s.Ended != 2 || s.Estimated != 0 || s.Connections != 1 {
		t.Errorf("stats %+v", s)
	}
}

// The gateway's own connections, whoever opened them and however they are
// translated, are nobody's; those that only pass by its address are somebody's.
func TestForwarded(t *testing.T) {
	public := netip.MustParseAddrPort("198.51.100.1:8080")
	server := netip.MustParseAddrPort("10.0.0.9:80")
	for name, c := range map[string]struct {
		orig, reply conntrack.Tuple
		bills       map[netip.Addr][2]uint64 // out, in
	}{
		"input":      {orig: conntrack.NewTuple(17, inside, gateway)},
		"output":     {orig: conntrack.NewTuple(17, gateway, outside)},
		"redirected": {orig: conntrack.NewTuple(6, inside, outside), reply: conntrack.NewTuple(6, gateway, inside)},
		"masqueraded": {
			orig: conntrack.NewTuple(6, inside, outside), reply: conntrack.NewTuple(6, outside, gateway),
			bills: map[netip.Addr][2]uint64{inside.Addr(): {100, 7}},
		},
		"to a server inside": {
			orig: conntrack.NewTuple(6, outside, gateway), reply: conntrack.NewTuple(6, server, outside),
			bills: map[netip.Addr][2]uint64{server.Addr(): {7, 100}},
		},
		"inside only": {
			orig: conntrack.NewTuple(6, inside, server), reply: conntrack.NewTuple(6, server, inside),
			bills: map[netip.Addr][2]uint64{inside.Addr(): {100, 7}, server.Addr(): {7, 100}},
		},
		"nobody's": {
			orig: conntrack.NewTuple(6, public, outside), reply: conntrack.NewTuple(6, outside, public),
			bills: map[netip.Addr][2]uint64{{}: {100, 7}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			f := w.flow(1, inside, outside)
			if f.Orig, f.Reply = c.orig, c.reply; f.Reply.Family == 0 {
				f.Reply = f.Orig.Reverse()
			}
			move(f, 100, 7)
			w.poll()
			if len(w.cells) != len(c.bills) {
				t.Errorf("cells %+v", w.cells)
			}
			for k, one := range w.cells {
				if got := [2]uint64{one.use.Out.Bytes, one.use.In.Bytes}; got != c.bills[k.Address] {
					t.Errorf("%v: %d, want %d", k, got, c.bills[k.Address])
				}
			}
		})
	}
}

// A dump that is older than an end brings nothing back.
func TestDumpAndEnd(t *testing.T) {
	w := newWorld(t, "")
	f := w.flow(1, inside, outside)
	move(f, 100, 200)
	w.poll()
	w.kernel.during = func() {
		w.kernel.during = nil
		move(f, 1, 1)
		w.kernel.end(f)
		w.kernel.Drain()
	}
	w.poll()
	w.want(101, 201)
	if w.conns.n != 0 {
		t.Error("the connection is back")
	}
	dying := w.flow(2, inside, outside)
	move(dying, 5, 5)
	w.kernel.end(dying)
	w.kernel.Drain()
	dying.Status = 1 << 9
	w.kernel.live = append(w.kernel.live, dying)
	w.poll()
	w.want(106, 206)
	if w.conns.n != 0 {
		t.Error("a dying connection is back")
	}
}

// What ended unheard has moved what the last round saw; what is told late is billed
// once.
func TestLoss(t *testing.T) {
	w := newWorld(t, "")
	f, late, missed := w.flow(1, inside, outside), w.flow(2, inside, outside), w.flow(3, inside, outside)
	for _, f := range w.kernel.live {
		move(f, 100, 100)
	}
	late.Orig.SrcPort, missed.Orig.SrcPort = 1, 2
	w.poll()
	for _, f := range []*conntrack.Flow{f, late, missed} {
		move(f, 10, 10)
	}
	w.kernel.end(f)
	w.kernel.lose()
	w.kernel.end(late)
	told := w.kernel.pending
	w.kernel.lose()
	w.kernel.hidden[missed] = true
	w.poll()
	w.want(310, 310) // a look at the one that the dump left out
	w.kernel.pending = told
	w.poll()
	w.want(320, 320)
	if w.Stats().Estimated != 0 {
		t.Error("estimated too early")
	}
	w.now = w.now.Add(grace)
	w.kernel.hidden = nil
	w.poll()
	if s := w.Stats(); s.Estimated != 1 || s.Ended != 2 || s.Connections != 1 || !w.records[1].Estimated || w.records[1].CtID != 1 {
		t.Errorf("stats %+v, records %+v", s, w.records)
	}
	w.want(320, 320)
}

// The next connection under the same id and tuple begins at zero, whether or not
// the end of the one before was heard, and whether or not the kernel notes times.
func TestReuse(t *testing.T) {
	for name, times := range map[string]bool{"times": true, "no times": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.poll()
			begin := func(orig, reply uint64) *conntrack.Flow {
				f := w.flow(1, inside, outside)
				if !times {
					f.Start = 0
				}
				move(f, orig, reply)
				return f
			}
			f := begin(100, 100)
			w.poll()
			w.kernel.end(f)
			f = begin(150, 150)
			w.kernel.Drain()
			w.poll()
			w.want(250, 250)
			w.kernel.end(f)
			w.kernel.lose()
			f = begin(70, 70) // less than before
			w.poll()
			w.want(320, 320)
			w.kernel.end(f)
			w.kernel.lose()
			begin(99, 99) // more than before: only its time tells
			w.poll()
			if times {
				w.want(419, 419)
			}
			w.now = w.now.Add(grace) // the ends of those that were seen no more may have been told late
			w.poll()
			if s := w.Stats(); times && s.Estimated != 2 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// Two living connections may have one id.
func TestCollision(t *testing.T) {
	w := newWorld(t, "")
	a, b := w.flow(1, inside, outside), w.flow(1, inside, netip.MustParseAddrPort("192.0.2.2:1"))
	move(a, 1, 10)
	move(b, 100, 1000)
	w.poll()
	w.want(101, 1010)
	w.kernel.end(a)
	w.poll()
	move(b, 100, 1000)
	w.poll()
	w.want(201, 2010)
	w.kernel.end(b)
	w.poll()
	if w.conns.n != 0 || len(w.conns.first) != 0 {
		t.Errorf("%d connections", w.conns.n)
	}
}

func TestHours(t *testing.T) {
	w := newWorld(t, "")
	f := w.flow(1, inside, outside)
	for range 3 {
		move(f, 10, 10)
		w.poll()
		w.now = w.now.Add(time.Hour)
	}
	w.want(30, 30)
	if len(w.past) != 2 {
		t.Errorf("%d hours are over", len(w.past))
	}
}

func TestPeriods(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	kolkata := time.FixedZone("IST", 5*3600+1800)
	for _, c := range []struct{ at, hour, day time.Time }{
		{time.Date(2026, 10, 25, 0, 30, 7, 9, time.UTC), time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)},
		{time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC)},
	} {
		if h, d := hourOf(c.at.In(berlin)), dayOf(c.at.In(berlin)); !h.Equal(c.hour) || !d.Equal(c.day) {
			t.Errorf("%s: hour %s, day %s", c.at, h, d)
		}
	}
	now := time.Now()
	time.Sleep(time.Millisecond)
	if later := time.Now(); later.Hour() == now.Hour() && hourOf(now) != hourOf(later) {
		t.Errorf("one hour began at %s and at %s", hourOf(now), hourOf(later))
	}
	at := time.Date(2026, 1, 1, 0, 10, 0, 0, kolkata)
	if h := hourOf(at); h.Minute() != 0 || !dayOf(at).Equal(h) {
		t.Errorf("hour %s, day %s", h, dayOf(at))
	}
}

func TestFullPeriod(t *testing.T) {
	c := make(cells)
	for i := range maxCells {
		c.get(Key{User: string(rune('a' + i%26)), Address: netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)})})
	}
	c.get(Key{Address: inside.Addr(), Application: "X"}).use.Connections = 1
	if one := c[Key{}]; one == nil || one.use.Connections != 1 || len(c) != maxCells+1 {
		t.Errorf("%d cells, what found no place %+v", len(c), one)
	}
}

// Rates are over the last period, and written where they change.
func TestRates(t *testing.T) {
	w := newWorld(t, "")
	f, idle := w.flow(1, inside, outside), w.flow(2, inside, outside)
	idle.Orig.SrcPort = 1
	w.poll()
	if len(w.rates) != 0 {
		t.Errorf("rates of the first round: %+v", w.rates)
	}
	round := func(orig, reply uint64, want ...uint64) {
		t.Helper()
		move(f, orig, reply)
		w.rates = nil
		w.poll()
		var got []uint64
		for _, r := range w.rates {
			got = append(got, uint64(r.ID), r.Way[0].Bytes, r.Way[1].Bytes)
		}
		if !slices.Equal(got, want) {
			t.Errorf("rates %d, want %d", got, want)
		}
	}
	round(400, 4000, 1, 100, 1000, 2, 0, 0)
	round(400, 4000)
	round(800, 4000, 1, 200, 1000)
	w.failing = errors.New("no")
	move(f, 0, 0)
	if err := w.Poll(); err == nil {
		t.Error("the write's error is lost")
	}
	w.failing, w.now = nil, w.now.Add(4*time.Second)
	round(0, 0, 1, 0, 0, 2, 0, 0)
}

func TestPace(t *testing.T) {
	w := newWorld(t, "")
	pace := Pace{Period: 4 * time.Second, Share: 0.04}
	soon := func(d time.Duration) func(time.Time) time.Duration {
		return func(time.Time) time.Duration { return d }
	}
	for _, c := range []struct {
		hurry func(time.Time) time.Duration
		cost  time.Duration
		at    time.Duration // since the hour began
		want  time.Duration
	}{
		{nil, time.Millisecond, 0, 4 * time.Second},
		{nil, 400 * time.Millisecond, 0, 10 * time.Second},
		{soon(0), time.Millisecond, 0, 4 * time.Second},
		{soon(time.Second), time.Millisecond, 0, time.Second},
		{soon(time.Second), 400 * time.Millisecond, 0, 2 * time.Second},
		{soon(time.Hour), time.Millisecond, 0, 4 * time.Second},
		{soon(5 * time.Second), 400 * time.Millisecond, 0, 5 * time.Second},
		{soon(4 * time.Second), 4 * time.Second, 0, 20 * time.Second},
		{nil, time.Millisecond, time.Hour - time.Second, time.Second},
	} {
		w.now = hourOf(w.now).Add(c.at)
		pace.Hurry = c.hurry
		if got := w.wait(pace, c.cost); got != c.want {
			t.Errorf("cost %s at %s: %s, want %s", c.cost, c.at, got, c.want)
		}
	}
}
