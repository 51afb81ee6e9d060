// SPDX-License-Identifier: MIT

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// Somebody's own flowtables, one for each family, filled by his own rules with terms:
// one of each way of writing it.
const ownFlowtables = `table ip mine {
	flowtable f { hook ingress priority 0; devices = { lan0, wan0 }; counter; }
	chain forward {
		type filter hook forward priority 10; policy accept;
		ip protocol tcp dict sessions ct id application "YOUTUBE" flow add @f
		ip protocol udp dict sessions ct id application "YOUTUBE" flow offload @f
	}
}
table ip6 mine {
	flowtable f { hook ingress priority 0; devices = { lan0, wan0 }; counter; }
	chain forward {
		type filter hook forward priority 10; policy accept;
		meta l4proto { tcp, udp } dict sessions ct id final true dict sessions ct id application "YOU*" flow add @f
	}
}
`

// flows is what `dictctl -j flows` says, by application and state.
func (r *rig) flows() map[string]int {
	r.t.Helper()
	n := make(map[string]int)
	for _, f := range r.listFlows() {
		n[f.Application+" "+f.State]++
	}
	return n
}

// listFlows is what `dictctl -j flows` says.
func (r *rig) listFlows() []api.Flow {
	r.t.Helper()
	var all struct {
		Flows []api.Flow `json:"flows"`
	}
	if err := json.Unmarshal([]byte(r.must("dictctl", "-j", "flows")), &all); err != nil {
		r.t.Fatal(err)
	}
	return all.Flows
}

// needFlowtable says that the test needs a kernel that has flowtables.
func (r *rig) needFlowtable() {
	r.t.Helper()
	need.Feature(r.t, "flowtable", func() error {
		out, err := r.try("nft", "add table inet probe; add flowtable inet probe f { hook ingress priority 0; devices = { lo }; }; delete table inet probe")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// TestFlowtableOfOthers: ordinary rules with terms fill ordinary flowtables, in text, in
// the listing, which loads again, and with packets: TCP and UDP, IPv4 and IPv6, and not
// what the terms do not mean. What is in them is shown, told and taken back, also by
// `recall all`.
func TestFlowtableOfOthers(t *testing.T) {
	for _, kind := range []string{"ebpf", "kmod"} {
		t.Run(kind, func(t *testing.T) { flowtableOfOthers(t, kind) })
	}
}

func flowtableOfOthers(t *testing.T, kind string) {
	r := newRig(t, lab.Config{})
	r.needFlowtable()
	if kind == "kmod" {
		need.Feature(t, kind, func() error {
			_, err := r.try("dictctl", "--backend", kind, "list")
			return err
		})
	}
	r.start(fmt.Sprintf("backend = %q\n", kind))
	ctl := func(words ...string) string {
		t.Helper()
		return r.must("dictctl", append([]string{"--backend", kind}, words...)...)
	}
	load := func(text string, more ...string) {
		t.Helper()
		cmd := r.Gateway.Command(context.Background(), filepath.Join(bin, "dictctl"), append([]string{"--backend", kind, "nft", "-f", "-"}, more...)...)
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, text)
		}
	}
	load(ownFlowtables)
	list := ctl("nft", "list", "table", "ip", "mine") + ctl("nft", "list", "table", "ip6", "mine")
	for _, want := range []string{
		`ip protocol tcp dict sessions ct id application "YOUTUBE" flow add @f`, `ip protocol udp dict sessions ct id application "YOUTUBE" flow add @f`,
		`dict sessions ct id final true dict sessions ct id application "YOU*" flow add @f`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in\n%s", want, list)
		}
	}
	load(list, "-c")

	before := r.status().Events.Readers
	heard, said := r.Gateway.Command(context.Background(), filepath.Join(bin, "dictctl"), "--socket", r.socket(), "monitor", "flows"), &journal{}
	heard.Stdout = said
	if err := heard.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { heard.Process.Kill(); heard.Wait() })
	r.eventually("somebody listens", func() error {
		if r.status().Events.Readers > before {
			return nil
		}
		return errors.New("nobody does")
	})
	var visits []*lab.Visit
	open := func(family int, http3 bool, url string) {
		t.Helper()
		b := r.Browser()
		b.Family, b.HTTP3 = family, http3
		v, err := b.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { v.Close() })
		visits = append(visits, v)
	}
	for _, family := range []int{4, 6} {
		open(family, false, "https://www.youtube.com/")
		open(family, true, "https://www.youtube.com/")
	}
	open(4, false, "https://www.netflix.com/")
	defer func() {
		if !t.Failed() {
			return
		}
		t.Logf("dictd counts %+v", r.status())
		t.Logf("dictd told of flows:\n%s", said)
		for _, f := range r.listFlows() {
			t.Logf("%+v", f)
			if f.Application == "TLS" {
				t.Log(r.try("dictctl", "why", fmt.Sprint(f.CtID)))
			}
		}
	}()
	wants := func(what string, fast int) {
		t.Helper()
		r.eventually(what, func() error {
			for _, v := range visits {
				if _, err := v.Get(t.Context(), ""); err != nil {
					return err
				}
			}
			if n := r.flows(); n["YOUTUBE software"] != fast || n["NETFLIX slow"] != 1 || n["NETFLIX software"] != 0 {
				return fmt.Errorf("%v, want %d of YOUTUBE in software and one of NETFLIX slow", n, fast)
			}
			return nil
		})
	}
	wants("what the rules mean is in the flowtables", 4)
	// The rows of new hosts are completed, which takes what is theirs back once more; and so
	// does dictd with all when the ledger's next round has told it of the flowtables.
	for since := time.Now(); time.Since(since) < 8*time.Second; time.Sleep(100 * time.Millisecond) {
		wants("it stays there", 4)
	}
	r.eventually("it is told", func() error {
		if n := strings.Count(said.String(), "flow-offload"); n < 4 {
			return fmt.Errorf("%d of 4", n)
		}
		return nil
	})

	if out := r.must("dictctl", "recall", "all"); out != "4 recalled\n" {
		t.Errorf("recall of all: %q", out)
	}
	wants("the rules let them in again", 4)
	ctl("nft", "flush", "table", "ip", "mine")
	ctl("nft", "flush", "table", "ip6", "mine")
	if out := r.must("dictctl", "recall", "app", "YOUTUBE"); out != "4 recalled\n" {
		t.Errorf("recall: %q", out)
	}
	wants("what was recalled is on the slow path", 0)
	r.eventually("recalls are told", func() error {
		if n := strings.Count(said.String(), "flow-recall"); n < 8 {
			return fmt.Errorf("%d of 8", n)
		}
		return nil
	})
}
