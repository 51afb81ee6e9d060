// SPDX-License-Identifier: MIT

package event

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read returns what a reader has by now, one word an event: number, kind and
// subject.
func read(t *testing.T, r *Reader) string {
	t.Helper()
	var words []string
	for {
		var buf [3]Event
		n := r.take(buf[:])
		for _, e := range buf[:n] {
			word := fmt.Sprintf("%d:%v", e.Seq, e.Kind)
			switch data := e.Data.(type) {
			case Lost:
				word += fmt.Sprintf(":%d-%d", data.After, data.Through)
			default:
				word += ":" + e.Subject
			}
			words = append(words, word)
		}
		if n == 0 {
			return strings.Join(words, " ")
		}
	}
}

func check(t *testing.T, what, want, got string) {
	t.Helper()
	if want != got {
		t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

func publish(l *Log, k Kind, subjects ...string) {
	for _, s := range subjects {
		l.Publish(Event{Kind: k, Subject: s})
	}
}

func TestReadersGoOn(t *testing.T) {
	l := New(4, time.Now)
	publish(l, UserNew, "a", "b")
	r := l.Subscribe(l.Position(), Filter{})
	defer r.Close()
	check(t, "from now", "", read(t, r))
	publish(l, HostNew, "h")
	publish(l, UserNew, "c")
	publish(l, HostNew, "i")
	check(t, "what follows", "3:host-new:h 4:user-new:c 5:host-new:i", read(t, r))
	check(t, "after one", "3:host-new:h 4:user-new:c 5:host-new:i", read(t, l.Subscribe(Position{After: 2}, Filter{})))
	check(t, "after one of this daemon", "5:host-new:i", read(t, l.Subscribe(Position{l.Boot(), 4}, Filter{})))
	check(t, "from the first", "1:user-new:a 2:user-new:b 3:host-new:h 4:user-new:c 5:host-new:i", read(t, l.Subscribe(Position{}, Filter{})))
	check(t, "some kinds", "3:host-new:h 5:host-new:i", read(t, l.Subscribe(Position{}, Of(HostNew, HostGone))))
}

func TestGaps(t *testing.T) {
	l := New(4, time.Now)
	slow := l.Subscribe(Position{}, Filter{})
	users := l.Subscribe(Position{}, Of(UserNew))
	publish(l, UserNew, "a")
	publish(l, HostNew, "1", "2", "3")
	check(t, "in time", "1:user-new:a 2:host-new:1 3:host-new:2 4:host-new:3", read(t, slow))
	publish(l, UserNew, "b")
	publish(l, HostNew, "4", "5", "6", "7", "8", "9")
	publish(l, UserNew, "c")
	check(t, "a flood of hosts loses hosts", "4:gap:4-7 5:user-new:b 8:host-new:6 9:host-new:7 10:host-new:8 11:host-new:9 12:user-new:c", read(t, slow))
	check(t, "and nothing of users", "1:user-new:a 5:user-new:b 12:user-new:c", read(t, users))
	check(t, "that is told again", "4:gap:4-7 5:user-new:b 8:host-new:6 9:host-new:7 10:host-new:8 11:host-new:9 12:user-new:c", read(t, l.Subscribe(Position{After: 4}, Filter{})))
	check(t, "as long as it may be so", "5:gap:5-7 8:host-new:6 9:host-new:7 10:host-new:8 11:host-new:9 12:user-new:c", read(t, l.Subscribe(Position{After: 5}, Filter{})))
	check(t, "and no longer", "8:host-new:6 9:host-new:7 10:host-new:8 11:host-new:9 12:user-new:c", read(t, l.Subscribe(Position{After: 7}, Filter{})))
	e := l.Subscribe(Position{After: 4}, Filter{})
	var one [1]Event
	e.take(one[:])
	want := Lost{4, 7, []string{"host-new", "host-changed", "host-gone", "device-new", "device-changed", "device-gone"}}
	if diff := cmp.Diff(want, one[0].Data); diff != "" {
		t.Errorf("gap (-want +got):\n%s", diff)
	}
}

func TestResets(t *testing.T) {
	old, l := New(4, time.Now), New(4, time.Now)
	publish(old, UserNew, "a", "b", "c")
	publish(l, DaemonStart, "")
	check(t, "another daemon's number", "0:reset: 1:daemon-start:", read(t, l.Subscribe(old.Position(), Filter{})))
	check(t, "a number of the future", "0:reset: 1:daemon-start:", read(t, l.Subscribe(Position{After: 2}, Filter{})))
	if old.Boot() == l.Boot() || len(l.Boot()) != 16 {
		t.Errorf("boot ids %q, %q", old.Boot(), l.Boot())
	}
}

func TestSessionsAreKeptOnDemand(t *testing.T) {
	now := time.Unix(1000, 0)
	l := New(4, func() time.Time { return now })
	publish(l, SessionFinal, "early")
	if l.Wants(SessionFinal) || !l.Wants(HostNew) {
		t.Error("wanted before there is a reader")
	}
	all := l.Subscribe(Position{}, Filter{})
	if l.Wants(SessionEnd) {
		t.Error("the zero Filter has sessions")
	}
	one := l.Subscribe(Position{}, Of(SessionFinal))
	publish(l, SessionFinal, "s")
	publish(l, SessionEnd, "s")
	check(t, "what was before may have been", "0:gap:0-1 2:session-final:s", read(t, one))
	check(t, "others", "", read(t, all))
	one.Close()
	one.Close()
	now = now.Add(grace - 1)
	publish(l, SessionFinal, "t")
	again := l.Subscribe(Position{After: 2}, Of(SessionFinal))
	check(t, "it came again soon", "4:session-final:t", read(t, again))
	again.Close()
	now = now.Add(grace)
	publish(l, UserNew, "u")
	if l.Wants(SessionFinal) {
		t.Error("kept for nobody")
	}
	publish(l, SessionFinal, "v")
	check(t, "it came too late", "4:gap:4-6", read(t, l.Subscribe(Position{After: 4}, Of(SessionFinal))))
}

func TestNobodyWaits(t *testing.T) {
	l := New(16, time.Now)
	stuck := l.Subscribe(Position{}, Filter{})
	defer stuck.Close()
	r := l.Subscribe(Position{}, Of(UserNew))
	defer r.Close()
	const each, writers = 2000, 4
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for range each {
				publish(l, UserNew, "x")
			}
		})
	}
	// Every number is read once, or told as lost.
	var last uint64
	var buf [8]Event
	for last < each*writers {
		n, err := r.Read(t.Context(), buf[:])
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range buf[:n] {
			lost, gap := e.Data.(Lost)
			switch {
			case gap && lost.After == last:
				last = lost.Through
			case !gap && e.Seq == last+1:
				last = e.Seq
			default:
				t.Fatalf("after %d: %+v", last, e)
			}
		}
	}
	wait.Wait()
	if s := l.Stats(); s.Events != each*writers || s.Kept != 16 || s.Readers != 2 {
		t.Errorf("stats %+v", s)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, l := range []*Log{New(4, time.Now), nil} {
		r := l.Subscribe(Position{}, Filter{})
		time.AfterFunc(time.Millisecond, cancel)
		if n, err := r.Read(ctx, make([]Event, 1)); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("read %d, %v", n, err)
		}
		l.Publish(Event{Kind: UserNew})
		r.Close()
	}
	l := New(4, time.Now)
	l.Publish(Event{Kind: Gap})
	l.Publish(Event{Kind: 200})
	if s := l.Stats(); s.Events != 0 {
		t.Errorf("a reader's kind was kept: %+v", s)
	}
}

func BenchmarkPublish(b *testing.B) {
	l := New(0, time.Now)
	for range 8 {
		defer l.Subscribe(Position{}, Filter{}).Close()
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Publish(Event{Kind: HostNew, Subject: "192.0.2.1"})
	}
}
