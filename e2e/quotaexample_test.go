// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"nftdict/internal/lab"
)

// example returns a configuration of docs/examples.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settled waits until an address has a user.
func (r *quotaRig) settled(from *lab.Namespace, addr, user string) {
	r.t.Helper()
	r.eventually(addr+" has a user", func() error {
		_ = r.download(from, 4, 1, time.Second)
		if got := r.field("hosts", addr, "username"); got != user {
			return fmt.Errorf("it has %q", got)
		}
		return nil
	})
}

// The family: video counts while it plays, and no longer; when it is over the rest
// goes on; a top-up lets it go on.
func TestExampleFamily(t *testing.T) {
	r := newQuotaRig(t, lab.Config{})
	r.start(example(t, "family.toml"))
	r.must("dictctl", "user", "bind", "tim", lab.ClientMAC)
	r.must("dictctl", "user", "groups", "tim", "kids")
	r.settled(r.Client, lab.Client4.String(), "tim")
	r.left("users", "tim", "quota_video_remaining")
	r.left("users", "tim", "quota_remaining")
	r.left("devices", lab.ClientMAC, "quota_remaining")
	r.must("dictctl", "quota", "set", "user", "tim", "5s", "--plan", "video")
	remaining := func() int64 {
		n, err := strconv.ParseInt(r.field("users", "tim", "quota_video_remaining"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		r.reaches(4, "https://example.org/")
	}
	if n := remaining(); n != 5 {
		t.Errorf("%d s are left, and no video was played", n)
	}
	start := time.Now()
	for r.reach(4, "https://www.youtube.com/") == nil {
		if time.Since(start) > 20*time.Second {
			t.Fatalf("video goes on, %d s are left", remaining())
		}
		time.Sleep(100 * time.Millisecond)
	}
	if took := time.Since(start); took < 4*time.Second || took > 12*time.Second {
		t.Errorf("5 s took %v", took)
	}
	r.blocked(6, "https://www.youtube.com/")
	r.reaches(4, "https://example.org/")
	if got := r.field("users", "tim", "quota_video_exceeded"); got != "true" {
		t.Errorf("quota_video_exceeded is %q", got)
	}
	r.must("dictctl", "quota", "top-up", "user", "tim", "30m", "--plan", "video")
	r.reaches(4, "https://www.youtube.com/")

	// All of the day's volume is used up, and the school's things go on.
	r.must("dictctl", "quota", "set", "user", "tim", "1kB", "--plan", "online")
	r.blocked(4, "https://example.org/")
	r.reaches(4, "https://en.wikipedia.org/")
	if list := r.must("dictctl", "quota", "show", "user", "tim"); list == "" {
		t.Error("nothing to show")
	} else {
		t.Logf("\n%s", list)
	}
}

// The office: who has loaded enough is slowed down, and the department shares.
func TestExampleOffice(t *testing.T) {
	r := newQuotaRig(t, lab.Config{Guest: true})
	r.start(example(t, "office.toml"))
	r.must("dictctl", "user", "bind", "sue", lab.ClientMAC)
	r.must("dictctl", "user", "bind", "joe", lab.GuestMAC)
	r.must("dictctl", "user", "groups", "sue", "design")
	r.must("dictctl", "user", "groups", "joe", "design")
	r.settled(r.Client, lab.Client4.String(), "sue")
	r.settled(r.Guest, lab.Guest4.String(), "joe")
	r.left("groups", "design", "quota_remaining")
	r.eventually("both share", func() error {
		if got := r.field("users", "sue", "quota_group") + r.field("users", "joe", "quota_group"); got != "designdesign" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	r.must("tc", "qdisc", "del", "dev", "lan0", "root")
	r.must("sh", "-c", r.must("dictctl", "quota", "tc", "lan0", "2mbit"))
	r.must("dictctl", "quota", "set", "user", "sue", "1MB")
	if err := r.download(r.Client, 4, 3*mega/2, 20*time.Second); err != nil {
		t.Errorf("to the end, and beyond it: %v", err)
	}
	start := time.Now()
	if err := r.download(r.Client, 4, mega/2, 20*time.Second); err != nil {
		t.Errorf("slowly: %v", err)
	}
	if took := time.Since(start); took < 1500*time.Millisecond {
		t.Errorf("half a megabyte at 2 Mbit/s took %v", took)
	}
	left := r.left("groups", "design", "quota_remaining")
	if err := r.download(r.Guest, 4, mega, 10*time.Second); err != nil {
		t.Errorf("the other one: %v", err)
	}
	if used := left - r.left("groups", "design", "quota_remaining"); used < mega {
		t.Errorf("the department was charged %d bytes of the other one's", used)
	}
	r.must("dictctl", "quota", "set", "group", "design", "1MB")
	for _, from := range []*lab.Namespace{r.Client, r.Guest} {
		b := r.Browser()
		b.From, b.Timeout = from, 3*time.Second
		if _, err := b.Get(context.Background(), "https://example.org/"); err == nil {
			t.Error("the department's budget does not end")
		}
	}
}
