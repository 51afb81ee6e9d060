// SPDX-License-Identifier: MIT

package quota

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"nftdict/dictd/identity"
	"nftdict/dictd/quota/plan"
)

func TestTime(t *testing.T) {
	r := newRig(t, "2026-10-24T21:00:00Z") // clocks are set back in the night
	r.users = []identity.User{{Name: "tim", Groups: []string{"kids"}}}
	video := plan.Spec{Name: "video", For: []string{"group kids"}, Applications: []string{"YOUTUBE"}, Time: "10m", Period: "day", Reset: "02:30", Zone: "Europe/Berlin"}
	r.start(video)
	play := func(seconds int) {
		t.Helper()
		for range seconds {
			if r.cell("users", "tim", "quota_video_remaining")[0] != '-' && r.cell("users", "tim", "quota_video_remaining") != "0" {
				r.charge("users", "tim", "quota_video_bytes", 1500)
			}
			r.pass(time.Second)
		}
	}
	r.pass(5 * time.Minute)
	r.want("nothing moves", "users", "tim", "quota_video_remaining", "600")
	play(100)
	r.want("100 s", "users", "tim", "quota_video_remaining", "500")
	r.pass(20 * time.Second) // a player rests
	r.want("in a pause", "users", "tim", "quota_video_remaining", "500")
	play(1)
	r.want("after a pause", "users", "tim", "quota_video_remaining", "479")
	r.pass(time.Hour)
	play(1)
	r.want("after an hour", "users", "tim", "quota_video_remaining", "478")
	r.charge("users", "tim", "quota_video_bytes", 1500)
	r.pass(time.Minute)
	r.want("nobody looked for a minute", "users", "tim", "quota_video_remaining", "468") // ten seconds at most
	r.start(video)
	r.want("after a new start", "users", "tim", "quota_video_remaining", "468")
	play(467)
	r.want("nearly", "users", "tim", "quota_video_remaining", "1")
	play(3)
	r.want("over", "users", "tim", "quota_video_remaining", "0")
	r.want("over", "users", "tim", "quota_video_exceeded", "true")
	r.want("the plan has its own", "users", "tim", "quota_remaining", "")
	// 02:30 comes twice, at 00:30 and 01:30 UTC: the first one counts, and only it.
	r.now = time.Date(2026, 10, 25, 0, 29, 59, 0, time.UTC)
	r.Look()
	r.want("before the reset", "users", "tim", "quota_video_remaining", "0")
	r.pass(time.Second)
	r.want("after the reset", "users", "tim", "quota_video_remaining", "600")
	play(60)
	r.now = time.Date(2026, 10, 25, 1, 30, 1, 0, time.UTC)
	r.Look()
	r.want("at the second 02:30", "users", "tim", "quota_video_remaining", "540")
	r.now = time.Date(2026, 10, 26, 1, 30, 0, 0, time.UTC)
	r.Look()
	r.want("at the next day's", "users", "tim", "quota_video_remaining", "600")
}

// A player that fetches far ahead and rests has its rests count, as far as what it has
// fetched would have lasted; what only says now and then that it is there does not.
func TestBursts(t *testing.T) {
	for _, c := range []struct {
		what          string
		every         time.Duration
		bytes, counts int64 // of each burst
	}{
		{"within a pause", 29 * time.Second, 1000, 29},
		{"slow talk", 2 * time.Second, 500, 2},
		{"signs of life, often", 15 * time.Second, 240, 0},
		{"just beyond a pause", 31 * time.Second, 2_000_000, 31},
		{"minutes of video", 150 * time.Second, 40_000_000, 150},
		{"a song", 200 * time.Second, 3_200_000, 100},
		{"as long as it may be", 10 * time.Minute, 400_000_000, 180},
		{"signs of life", 31 * time.Second, 300, 0},
		{"a page now and then", 10 * time.Minute, 640_000, 20},
	} {
		var w stopwatch
		now, octets, counted := time.Unix(1000, 0), int64(0), int64(0)
		w.look(octets, now)
		const bursts = 20
		for range bursts {
			for passed := time.Duration(0); passed < c.every; passed += time.Second {
				if now = now.Add(time.Second); passed == 0 {
					octets += c.bytes
				}
				counted += w.look(octets, now)
			}
		}
		want := c.counts * (bursts - 1) // the last rest is not over
		if counted < want-1 || counted > want+want/50+5 {
			t.Errorf("%s: %d s of %d bursts, want %d", c.what, counted, bursts, want)
		}
	}
}

// What moved while no daemon looked counts, as long as it may have lasted.
func TestTimeAway(t *testing.T) {
	for _, c := range []struct {
		what   string
		away   time.Duration
		bytes  int64
		counts int
	}{
		{"nothing", time.Hour, 0, 0},
		{"a little", time.Hour, 1500, 10},
		{"a video", 10 * time.Minute, 100_000_000, 600},
		{"a page", 10 * time.Minute, 3_200_000, 100},
		{"a day of it", 24 * time.Hour, 1 << 40, 3600},
		{"soon again", 5 * time.Second, 1500, 5},
	} {
		r := newRig(t, "2026-05-05T10:00:00Z")
		r.users = []identity.User{{Name: "tim"}}
		video := plan.Spec{Name: "video", For: []string{"users"}, Applications: []string{"YOUTUBE"}, Time: "2h", Period: "month"}
		r.start(video)
		for range 10 {
			r.charge("users", "tim", "quota_video_bytes", 1500)
			r.pass(time.Second)
		}
		r.charge("users", "tim", "quota_video_bytes", c.bytes)
		r.now = r.now.Add(c.away)
		r.start(video)
		r.want(c.what, "users", "tim", "quota_video_remaining", strconv.Itoa(7200-10-c.counts))
		r.start(video)
		r.want(c.what+", and another start", "users", "tim", "quota_video_remaining", strconv.Itoa(7200-10-c.counts))
		if err := r.store.Delete("users", r.key("users", "tim")); err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(time.Hour)
		r.start(video)
		r.want(c.what+", and a lost row", "users", "tim", "quota_video_remaining", strconv.Itoa(7200-10-c.counts))
		r.want(c.what+", and a lost row", "users", "tim", "quota_video_bytes", "0")
	}
}

func TestBook(t *testing.T) {
	r := newRig(t, "2026-05-05T10:00:00Z")
	addr := netip.MustParseAddr("10.0.0.1")
	r.users = []identity.User{{Name: "sue", Groups: []string{"sales"}}}
	r.hosts = []identity.Host{{Address: addr, MAC: "02:00:00:00:00:0a", Username: "sue"}}
	r.start(
		plan.Spec{Name: "in-only", For: []string{"users"}, Volume: "1000", Direction: "in", Period: "day"},
		plan.Spec{Name: "office", For: []string{"group sales"}, Shared: true, Volume: "1000", Period: "day"},
		plan.Spec{Name: "video", For: []string{"device 02:00:00:00:00:0a"}, Categories: []string{"streaming"}, Volume: "1000", Period: "day"},
		plan.Spec{Name: "watch", For: []string{"host 10.0.0.1"}, Applications: []string{"YOUTUBE"}, Time: "1h", Period: "day"},
	)
	r.Book(addr, 100, 10, "YOUTUBE", "streaming")
	r.Book(addr, 1, 1, "YOUTUBE", "streaming")
	r.Book(addr, 20, 2, "", "")
	r.Book(netip.MustParseAddr("10.0.0.2"), 1000, 1000, "", "")
	r.pass(time.Second)
	r.want("in", "users", "sue", "quota_remaining", "879")
	r.want("both", "groups", "sales", "quota_remaining", "866")
	r.want("of a category", "devices", "02:00:00:00:00:0a", "quota_video_remaining", "888")
	r.want("time", "hosts", "10.0.0.1", "quota_watch_bytes", "112")
	r.want("signs of life", "hosts", "10.0.0.1", "quota_watch_remaining", "3600")
	r.Book(addr, 1000, 0, "YOUTUBE", "streaming")
	r.pass(time.Second)
	r.want("time", "hosts", "10.0.0.1", "quota_watch_remaining", "3599")
}

// A plan that counts time in the place of bytes begins anew.
func TestOtherUnit(t *testing.T) {
	for _, restart := range []bool{true, false} {
		r := newRig(t, "2026-05-05T10:00:00Z")
		r.users = []identity.User{{Name: "tim"}}
		s := plan.Spec{Name: "a", For: []string{"users"}, Volume: "5000", Separate: true, Period: "day"}
		r.start(s)
		r.charge("users", "tim", "quota_a_remaining", -600)
		r.pass(time.Second)
		s.Volume, s.Time = "", "1h"
		if restart {
			r.start(s)
		} else {
			if err := r.SetPlans(r.parse(s)); err != nil {
				t.Fatal(err)
			}
			r.Look()
		}
		r.want("of time", "users", "tim", "quota_a_remaining", "3600")
		r.want("of time", "users", "tim", "quota_a_size", "3600")
		r.want("of time", "users", "tim", "quota_a_bytes", "0")
	}
}
