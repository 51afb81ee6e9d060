// SPDX-License-Identifier: MIT

package quota

import (
	"testing"
	"time"

	"nftdict/dictd/quota/plan"
)

// The file remembers a bounded number of periods, and forgets the oldest.
func TestHistoryBound(t *testing.T) {
	for _, dir := range []string{t.TempDir(), ""} {
		s, err := openState(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		i := id{plan.Subject{Kind: plan.Device, Name: "02:00:00:00:00:0a"}, "video"}
		var all []past
		for n := range maxHistory + 30 {
			all = append(all, past{i, Past{Plan: "video", Start: time.Unix(int64(n)*3600, 0).UTC(), Used: int64(n)}})
		}
		for len(all) > 0 {
			n := min(len(all), 7)
			if err := s.save(nil, all[:n], nil); err != nil {
				t.Fatal(err)
			}
			all = all[n:]
		}
		list, err := s.past(i)
		if err != nil || len(list) != maxHistory || list[0].Used != 30 || list[maxHistory-1].Used != maxHistory+29 {
			t.Errorf("directory %q: %d periods, %v", dir, len(list), err)
		}
	}
}

// Who had no period for long has no history any more, and who is forgotten has none, in
// memory as in a file.
func TestHistoryIsForgotten(t *testing.T) {
	for _, dir := range []string{t.TempDir(), ""} {
		s, err := openState(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		end := func(name string, after time.Duration) id {
			i := id{subject: plan.Subject{Kind: plan.User, Name: name}}
			at := time.Unix(1e9, 0).UTC().Add(after)
			if err := s.save(nil, []past{{i, Past{Start: at.Add(-time.Hour), End: at}}}, nil); err != nil {
				t.Fatal(err)
			}
			return i
		}
		has := func(i id, want int) {
			t.Helper()
			if list, err := s.past(i); err != nil || len(list) != want {
				t.Errorf("directory %q: %s: %d periods, %v, want %d", dir, i.subject, len(list), err, want)
			}
		}
		ann, bob := end("ann", 0), end("bob", ageEvery)
		end("cy", keepHistory+time.Hour)
		has(ann, 0)
		has(bob, 1)
		if err := s.save(nil, nil, map[id]bool{bob: true}); err != nil {
			t.Fatal(err)
		}
		has(bob, 0)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("user\x00\x00alice")
	f.Add("device\x00video\x0002:00:00:00:00:0a")
	f.Add("host\x00x\x00::ffff:10.0.0.1")
	f.Add("group\x00\x00a\x00b")
	f.Fuzz(func(t *testing.T, name string) {
		i, err := parseID([]byte(name))
		if err != nil {
			return
		}
		if again, err := parseID(i.name()); err != nil || again != i {
			t.Fatalf("%q is %+v, which is read as %+v, %v", name, i, again, err)
		}
	})
}
