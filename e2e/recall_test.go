// SPDX-License-Identifier: MIT

package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/internal/cli/doctor"
	"nftdict/internal/lab"
	"nftdict/internal/lab/fakenic"
	"nftdict/internal/need"
)

// TestOffloadedRecalled: what `dictctl recall` names comes back, by each of the kinds that
// its usage has, and nothing else; nothing does for what it refuses. A connection whose application is
// corrected falls under the rule on that one, and another of the same host goes on. The
// doctor knows what there is.
func TestOffloadedRecalled(t *testing.T) {
	t.Run("kmod hardware", func(t *testing.T) { offloadedRecalled(t, "kmod", true) })
	if need.Promised("long") {
		t.Run("ebpf software", func(t *testing.T) { offloadedRecalled(t, "ebpf", false) })
	}
}

func offloadedRecalled(t *testing.T, kind string, hardware bool) {
	r := newRig(t, lab.Config{Guest: true})
	r.needFlowtable()
	var card *fakenic.Card
	state := api.FlowSoftware
	if hardware {
		card, state = fakenic.New(t, r.Gateway, "lan0", "lan1", "wan0"), api.FlowHardware
	}
	r.start(fmt.Sprintf("backend = %q\n[reverse]\nnames = \"off\"\n[offload]\nenable = true\n", kind))
	ctl := func(words ...string) string {
		t.Helper()
		return r.must("dictctl", append([]string{"--backend", kind}, words...)...)
	}
	ctl("user", "bind", "bob", lab.GuestMAC)
	ctl("user", "bind", "tim", lab.ClientMAC)
	ctl("user", "groups", "tim", "kids", "staff")
	ctl("nft", `add table ip filter; add chain ip filter forward { type filter hook forward priority 0 ; }; `+
		`add rule ip filter forward meta l4proto tcp dict sessions ct id application "FACEBOOK" reject with tcp reset`)
	if kind == "kmod" {
		r.diagnosed(doctorOffload{"inet dictd_offload fast over lan0, lan1, wan0, flags offload", "lan0, lan1, wan0"})
	} else {
		r.diagnosed(doctorOffload{"inet dictd_offload fast over lan0, lan1, wan0", ""})
	}

	all := []*steady{r.steady("www.youtube.com"), r.steady("www.youtube.com"), r.steady("www.netflix.com"), r.steady("en.wikipedia.org"), openSteady(t, r.Guest, r.Lab, "www.youtube.com")}
	one, same := all[0].LocalAddr().String(), all[1].LocalAddr().String()
	look := func() map[string]api.Flow {
		t.Helper()
		seen := make(map[string]api.Flow)
		for _, f := range r.listFlows() {
			seen[netip.AddrPortFrom(f.Client, uint16(f.ClientPort)).String()] = f
		}
		return seen
	}
	// settled is what there is when all are carried, and have been for a time.
	settled := func(quiet time.Duration) (seen map[string]api.Flow) {
		t.Helper()
		since := time.Now()
		r.eventually("all are carried", func() error {
			for _, s := range all {
				if err := s.getWithin(10 * time.Second); err != nil {
					t.Fatal(err)
				}
			}
			seen = look()
			for _, s := range all {
				if f := seen[s.LocalAddr().String()]; f.State != state {
					since = time.Now()
					return fmt.Errorf("%+v, want %s", f, state)
				}
			}
			if time.Since(since) < quiet {
				return fmt.Errorf("not for long")
			}
			return nil
		})
		return seen
	}
	// compare checks that those of before that are meant are back, and no others. No
	// packets have passed since then.
	compare := func(what string, before map[string]api.Flow, back func(*api.Flow) bool) {
		t.Helper()
		now := look()
		for _, s := range all {
			key := s.LocalAddr().String()
			was, is := before[key], now[key]
			same := is.CtID == was.CtID
			if back(&was) {
				if is.State != api.FlowSlow || same != (kind == "kmod") {
					t.Errorf("%s: %+v, was %+v, want it back", what, is, was)
				}
				if hardware {
					for _, rule := range card.State().Rules {
						if rule.From.String() == key || rule.To.String() == key {
							t.Errorf("%s: the card goes on with %+v", what, rule)
						}
					}
				}
			} else if is.State != state || !same {
				t.Errorf("%s: %+v, was %+v, want it where it was", what, is, was)
			}
		}
	}

	// The rows of new hosts are completed first, which takes what is theirs back.
	before := settled(3 * time.Second)
	for _, c := range []struct{ words, want string }{
		{"recall ct five", "conntrack -L -o id"},
		{"recall ct 4294967296", "conntrack -L -o id"},
		{"recall host www.youtube.com", "want an address"},
		{"recall user", "usage: dictctl recall ct ID|host ADDRESS|user NAME"},
		{"-j recall bob", "want one of ct, host, user"},
	} {
		if out, err := r.try("dictctl", strings.Fields(c.words)...); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v, %q, want %q", c.words, err, out, c.want)
		}
	}
	if out := ctl("recall", "ct", "0"); out != "0 recalled\n" {
		t.Errorf("a connection that there is not: %q", out)
	}
	compare("what is refused", before, func(*api.Flow) bool { return false })

	usage, _, _ := strings.Cut(ctl("recall", "--help"), "\n")
	kinds := strings.Split(strings.TrimPrefix(usage, "usage: dictctl recall "), "|")
	for i, kind := range kinds {
		before := settled(0)
		words := []string{"recall", strings.Fields(kind)[0]}
		var back func(*api.Flow) bool
		n := 0
		switch by := func(name string, m int, f func(*api.Flow) bool) { words, n, back = append(words, name), m, f }; kind {
		case "ct ID":
			by(fmt.Sprint(before[one].CtID), 1, func(f *api.Flow) bool { return f.CtID == before[one].CtID })
		case "host ADDRESS":
			by(lab.Client4.String(), 4, func(f *api.Flow) bool { return f.Client == lab.Client4 })
		case "user NAME":
			by("bob", 1, func(f *api.Flow) bool { return f.Client == lab.Guest4 })
		case "device MAC":
			by(lab.GuestMAC, 1, func(f *api.Flow) bool { return f.Client == lab.Guest4 })
		case "group NAME":
			by("staff", 4, func(f *api.Flow) bool { return f.Client == lab.Client4 })
		case "app NAME":
			by("NETFLIX", 1, func(f *api.Flow) bool { return f.Application == "NETFLIX" })
		case "category NAME":
			by("streaming", 4, func(f *api.Flow) bool { return f.Category == "streaming" })
		case "all":
			n, back = 5, func(*api.Flow) bool { return true }
		default:
			t.Errorf("the usage has %q", kind)
			continue
		}
		want := fmt.Sprintf("%d recalled\n", n)
		if i%2 == 1 {
			words, want = append(words, "-j"), fmt.Sprintf("{\"recalled\":%d}\n", n)
		}
		if out := ctl(words...); strings.Join(strings.Fields(out), "") != strings.Join(strings.Fields(want), "") {
			t.Errorf("%s: %q, want %q", words, out, want)
		}
		compare(strings.Join(words, " "), before, back)
	}
	if len(kinds) != 8 {
		t.Errorf("the usage has %d kinds: %q", len(kinds), usage)
	}

	before = settled(0)
	ctl("set", "sessions", fmt.Sprint(before[one].CtID), "application", "FACEBOOK")
	compare("what is corrected", before, func(f *api.Flow) bool { return f.CtID == before[one].CtID })
	if err := all[0].getWithin(10 * time.Second); err == nil {
		t.Error("it goes on past the rule")
	}
	r.eventually("the other one goes on and is counted", func() error {
		if err := all[1].getWithin(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		was, is := before[same], look()[same]
		if is.CtID != was.CtID || is.State != was.State {
			t.Fatalf("it is %+v, was %+v", is, was)
		}
		if is.In.Bytes <= was.In.Bytes || is.Out.Bytes <= was.Out.Bytes {
			return fmt.Errorf("it is %+v, was %+v", is, was)
		}
		return nil
	})
}

// doctorOffload is what the doctor finds of flowtables.
type doctorOffload struct{ flowtables, devices string } // "" where there are none

// diagnosed checks what `dictctl doctor` says of flowtables.
func (r *rig) diagnosed(want doctorOffload) {
	r.t.Helper()
	var report doctor.Report
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "doctor")), &report); err != nil {
		r.t.Fatal(err)
	}
	checks := make(map[string]doctor.Check)
	for _, c := range report.Checks {
		checks[c.Name] = c
	}
	if c := checks["flowtables in use"]; c.State != doctor.Present || c.Found != want.flowtables || c.Follows != "" {
		r.t.Errorf("%+v, want %q", c, want.flowtables)
	}
	switch c := checks["devices that carry flows"]; {
	case want.devices == "" && (c.State != doctor.Absent || !strings.Contains(c.Follows, "hw-tc-offload on")),
		want.devices != "" && (c.State != doctor.Present || c.Found != want.devices):
		r.t.Errorf("%+v, want %q", c, want.devices)
	}
	if c := checks["devices let go at once"]; c.State != doctor.Present {
		r.t.Errorf("%+v, want them to", c)
	}
}
