// SPDX-License-Identifier: MIT

package session

import (
	"net/netip"
	"testing"
	"time"

	"nftdict/classifier"
	"nftdict/dict"
	"nftdict/dictd/conntrack"
)

// fences are those that a table has set.
type fences struct {
	set    int
	passed bool
}

func (f *fences) fence() func() bool {
	f.set++
	return func() bool { return f.passed }
}

// newPastRig has a session of an entry that conntrack has counted 33 packets of, in each
// direction, where 64 are queued.
func newPastRig(t *testing.T) (*rig, *fences, *Session, *conntrack.Flow) {
	r, at := newRig(t, 10), new(fences)
	r.Table.fence, r.Table.most = at.fence, func() uint64 { return 64 }
	f := flow(1, conntrack.NewTuple(classifier.ProtoTCP, netip.MustParseAddrPort("10.0.0.1:1000"), netip.MustParseAddrPort("192.0.2.1:9999")))
	f.Counters = [2]conntrack.Counter{{Packets: 33}, {Packets: 33}}
	r.open(1, f.Orig)
	r.kernel.live[place{f.Orig, 0}].Counters = f.Counters
	r.rows.Delete(1)
	return r, at, r.Find(1)[0], &f
}

// tick is a second's house-keeping; it reports whether the session is given up.
func (r *rig) tick(s *Session) bool {
	r.now = r.now.Add(time.Second)
	r.Expire(r.now)
	return s.Finished
}

// Where no more packets are queued, a session is given up when those are handled that
// were, and its row says so.
func TestPast(t *testing.T) {
	r, at, s, f := newPastRig(t)
	if r.tick(s); at.set != 0 {
		t.Error("a fence where nobody waits")
	}
	r.Past(f)
	for range 3 {
		if r.tick(s) {
			t.Fatal("given up while packets wait")
		}
	}
	r.wantRow(1, 0)
	final := 0
	r.Table.final = func(*Session) { final++ }
	if at.passed = true; !r.tick(s) || !s.Final || r.Stats().GivenUp != 1 || at.set != 1 || final != 1 {
		t.Errorf("%+v; %d fences; said %d times", r.Stats(), at.set, final)
	}
	r.wantRow(1, s.serial)
	r.Past(f)
	if r.tick(s); at.set != 1 {
		t.Error("a fence for who is given up already")
	}
}

// What is noted while others wait has a fence of its own, and one that is lost is set again.
func TestPastFences(t *testing.T) {
	r, at, s, f := newPastRig(t)
	r.Past(f)
	r.tick(s)
	other := *f
	other.ID, other.Orig = 2, tuple(2)
	other.Reply = other.Orig.Reverse()
	r.open(2, other.Orig)
	r.kernel.live[place{other.Orig, 0}].Counters = f.Counters
	second := r.Find(2)[0]
	r.Past(&other)
	for range fenceLife / time.Second {
		r.tick(s)
	}
	if at.set != 2 || s.Finished {
		t.Errorf("%d fences, finished %v", at.set, s.Finished)
	}
	at.passed = true
	if r.tick(s); !s.Finished || second.Finished || at.set != 3 {
		t.Errorf("finished %v, the second %v, %d fences", s.Finished, second.Finished, at.set)
	}
	if r.tick(s); !second.Finished {
		t.Error("the second is not given up")
	}
	for range 3 {
		r.tick(s)
	}
	if at.set != 3 {
		t.Errorf("%d fences", at.set)
	}
}

// Whoever's packets are queued all the same is not given up, nor who is over by then.
func TestNotPast(t *testing.T) {
	type change func(*rig, *Session, *conntrack.Flow)
	live := func(r *rig, s *Session) *conntrack.Flow { return r.kernel.live[place{s.orig, 0}] }
	for name, c := range map[string]struct {
		before change // it is looked at
		after  change // its fence is set, nil if there is none
	}{
		"few packets":               {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Counters[1].Packets = 31 }, nil},
		"DNS":                       {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Reply.SrcPort = 53 }, nil},
		"DNS, from the other end":   {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Reply.DstPort = 53 }, nil},
		"in a flowtable":            {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Status |= offloadedStatus }, nil},
		"in a flowtable by then":    {nil, func(r *rig, s *Session, _ *conntrack.Flow) { live(r, s).Status |= offloadedStatus }},
		"begun anew":                {func(_ *rig, s *Session, _ *conntrack.Flow) { s.reopened = true }, nil},
		"begun anew while it waits": {nil, func(_ *rig, s *Session, _ *conntrack.Flow) { s.reopened = true }},
		"doubted":                   {func(_ *rig, s *Session, _ *conntrack.Flow) { s.doubt(true) }, nil},
		"doubted while it waits":    {nil, func(_ *rig, s *Session, _ *conntrack.Flow) { s.doubt(true) }},
		"another entry":             {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Orig.SrcPort++ }, nil},
		"another zone":              {func(_ *rig, _ *Session, f *conntrack.Flow) { f.Zone = 1 }, nil},
		"not confirmed":             {func(_ *rig, s *Session, _ *conntrack.Flow) { s.confirmed = false }, nil},
		"its id is another's, too":  {func(_ *rig, s *Session, _ *conntrack.Flow) { s.shared = true }, nil},
		"over, unheard of":          {nil, func(r *rig, s *Session, _ *conntrack.Flow) { delete(r.kernel.live, place{s.orig, 0}) }},
		"another in its place":      {nil, func(r *rig, s *Session, _ *conntrack.Flow) { live(r, s).ID = 2 }},
		"the other way":             {nil, func(r *rig, s *Session, _ *conntrack.Flow) { f := live(r, s); f.Orig, f.Reply = f.Reply, f.Orig }},
		"closed":                    {nil, func(r *rig, s *Session, _ *conntrack.Flow) { live(r, s).State = closed }},
		"counted from nothing":      {nil, func(r *rig, s *Session, _ *conntrack.Flow) { live(r, s).Counters[0].Packets = 0 }},
		"more are queued now":       {nil, func(r *rig, _ *Session, _ *conntrack.Flow) { r.Table.most = func() uint64 { return 66 } }},
		"somebody wants more":       {nil, func(r *rig, _ *Session, _ *conntrack.Flow) { r.rows.wanted[1] = true }},
	} {
		t.Run(name, func(t *testing.T) {
			r, at, s, f := newPastRig(t)
			if c.before != nil {
				c.before(r, s, f)
			}
			r.Past(f)
			r.tick(s)
			if (at.set > 0) != (c.after != nil) {
				t.Errorf("%d fences", at.set)
			}
			if c.after != nil {
				c.after(r, s, f)
			}
			if at.passed = true; r.tick(s) || r.Stats().GivenUp > 0 {
				t.Errorf("%+v", r.Stats())
			}
			r.wantRow(1, 0)
		})
	}
	for _, t53 := range []conntrack.Tuple{tuple(0), tuple(0).Reverse()} {
		if t53.SrcPort == 443 {
			t53.SrcPort = 53
		} else {
			t53.DstPort = 53
		}
		if f := flow(1, t53); !isDNS(&f) {
			t.Errorf("%v is not DNS", t53)
		}
		if f := (conntrack.Flow{Orig: t53, Reply: tuple(7)}); !isDNS(&f) {
			t.Errorf("%v, translated, is not DNS", t53)
		}
	}
}

// A row that could not be written is written by the next look.
func TestPastIsRefused(t *testing.T) {
	r, at, s, f := newPastRig(t)
	at.passed, r.rows.refuses = true, true
	again := func() {
		t.Helper()
		r.Past(f)
		r.tick(s)
		if !r.tick(s) || r.Stats().GivenUp != 1 {
			t.Errorf("%+v", r.Stats())
		}
		if _, _, finished, _ := r.Label(f); finished == r.rows.refuses {
			t.Errorf("the row says that it is finished: %v", finished)
		}
	}
	again()
	r.wantRow(1, 0)
	r.rows.refuses = false
	again()
	r.wantRow(1, s.serial)
	fences := at.set
	r.Past(f)
	if r.tick(s); at.set != fences {
		t.Error("it is written already")
	}
}

// What ends, or is finished by what was queued, while it waits, is let be.
func TestPastMeanwhile(t *testing.T) {
	r, at, s, f := newPastRig(t)
	r.Past(f)
	r.tick(s)
	s.Final, s.Finished = true, true // a hello was among them
	s.Changes(nil)
	at.passed = true
	if r.tick(s); r.Stats().GivenUp != 0 {
		t.Errorf("%+v", r.Stats())
	}
	r.wantRow(1, 0)
	s.Final, s.Finished, at.passed = false, false, false
	s.Unsent()
	r.Past(f)
	r.tick(s)
	r.kernel.destroy(*f)
	r.kernel.deliver(1)
	at.passed = true
	if r.tick(s); r.Stats().GivenUp != 0 {
		t.Errorf("%+v", r.Stats())
	}
	r.wantNone()
}

// A comparison with the kernel finds them, too, and many of them are no more than can wait.
func TestPastIsBounded(t *testing.T) {
	r, at, s, f := newPastRig(t)
	at.passed = true
	for range maxPast {
		r.Table.past.note(new(Session))
	}
	r.Past(f)
	if r.tick(s); len(r.Table.past.fenced) != maxPast {
		t.Errorf("%d wait", len(r.Table.past.fenced))
	}
	if r.tick(s) {
		t.Error("there was room for it")
	}
	if err := r.Reconcile(r.now, nil, nil); err != nil {
		t.Fatal(err)
	}
	r.tick(s)
	if !r.tick(s) {
		t.Error("the comparison does not find it")
	}
}

// How far a session had come goes on from its row.
func TestSays(t *testing.T) {
	cell := func(field string, v bool) dict.Cell { return dict.Cell{Field: field, Value: dict.BoolValue(v)} }
	for name, c := range map[string]struct {
		cells                              []dict.Cell
		final, finished, reopened, doubted bool
	}{
		"under way":     {nil, false, false, false, false},
		"final":         {[]dict.Cell{cell("final", true)}, true, false, false, false},
		"finished":      {[]dict.Cell{cell("final", true), cell("bypass_packetd", true)}, true, true, false, false},
		"begun anew":    {[]dict.Cell{cell("bypass_packetd", false)}, false, false, true, false},
		"in doubt":      {[]dict.Cell{cell("final", false)}, true, false, false, true},
		"over in doubt": {[]dict.Cell{cell("final", false), cell("bypass_packetd", true)}, true, true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 10)
			r.kernel.confirm(flow(1, tuple(1)))
			r.kernel.lose()
			says := SaysOf(&dict.Row{Key: dict.CtID(1), Cells: c.cells})
			if err := r.Reconcile(r.now, map[uint32]struct{}{1: {}}, func(*conntrack.Flow) (bool, Says) { return true, says }); err != nil {
				t.Fatal(err)
			}
			s := r.Find(1)[0]
			if s.Final != c.final || s.Finished != c.finished || s.reopened != c.reopened || s.Doubted() != c.doubted {
				t.Errorf("final %v, finished %v, begun anew %v, doubted %v", s.Final, s.Finished, s.reopened, s.Doubted())
			}
		})
	}
}

// What is settled may wait for packets still: whoever counts what it moves has to ask again.
func TestSettledWaits(t *testing.T) {
	r, at, s, f := newPastRig(t)
	s.Final = true
	if _, _, finished, known := r.Label(f); finished || !known {
		t.Errorf("finished %v, known %v", finished, known)
	}
	r.Past(f)
	r.tick(s)
	said := false
	r.Table.final = func(*Session) { said = true }
	at.passed = true
	if !r.tick(s) || said {
		t.Errorf("given up: %v; said again that it is settled: %v", s.Finished, said)
	}
	if _, _, finished, known := r.Label(f); !finished || !known {
		t.Errorf("finished %v, known %v", finished, known)
	}
}
