// SPDX-License-Identifier: MIT

package rules

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"nftdict/dictd/internal/testns"
	"nftdict/dictd/queue"
	"nftdict/internal/need"
)

func testConfig(source queue.Source) Config {
	return Config{
		Table: "dictd", Priority: -145, Source: source,
		Queues:    Queues{First: 5300, Count: 2, Fanout: true},
		FinishBit: 0x40000000, FinishMark: 0x64696374, MaxPackets: 64,
	}
}

func open(t *testing.T, ns *testns.NS, noOwner bool) *Table {
	t.Helper()
	table, err := Open(Options{Name: "dictd", NetNS: ns.FD(), NoOwner: noOwner})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { table.Close() })
	return table
}

func TestInstallAndRemove(t *testing.T) {
	ns := testns.New(t)
	ns.Run(t, "nft", "add table inet other")
	table := open(t, ns, true)
	t.Logf("%+v", table.Features())
	for _, source := range []queue.Source{queue.ByMark, queue.ByConntrack} {
		for _, bit := range []uint32{0x40000000, 0} {
			c := testConfig(source)
			c.FinishBit = bit
			if err := table.Install(c, Terms{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := table.Install(testConfig(queue.ByMark), Terms{}); err != nil {
		t.Fatal(err)
	}
	list := ns.Run(t, "nft", "list ruleset")
	t.Log(list)
	if !strings.Contains(list, "table inet other") {
		t.Error("another table is gone")
	}
	for range 2 {
		if err := table.Remove(); err != nil {
			t.Fatal(err)
		}
	}
	if list := ns.Run(t, "nft", "list ruleset"); strings.Contains(list, "dictd") {
		t.Errorf("after Remove:\n%s", list)
	}
}

func TestOwnedTableSurvivesFlushRuleset(t *testing.T) {
	ns := testns.New(t)
	table := open(t, ns, false)
	if !table.Features().Owner {
		need.Feature(t, "nft-owner", func() error { return errors.New("no table flags owner and persist") })
	}
	if err := table.Install(testConfig(queue.ByMark), Terms{}); err != nil {
		t.Fatal(err)
	}
	ns.Run(t, "nft", "flush ruleset")
	if list := ns.Run(t, "nft", "list tables"); !strings.Contains(list, "inet dictd") {
		t.Fatalf("after a flush by somebody else:\n%s", list)
	}
	other := open(t, ns, false)
	if err := other.Install(testConfig(queue.ByMark), Terms{}); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "owns it") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("install over the table of a living daemon: %v", err)
	}
	// The daemon dies; its rules stay, and the next one takes them over.
	table.Close()
	if list := ns.Run(t, "nft", "list tables"); !strings.Contains(list, "inet dictd") {
		t.Fatalf("after the owner is gone:\n%s", list)
	}
	if err := other.Install(testConfig(queue.ByMark), Terms{}); err != nil {
		t.Fatal(err)
	}
	ns.Run(t, "nft", "flush ruleset")
	if list := ns.Run(t, "nft", "list tables"); !strings.Contains(list, "inet dictd") {
		t.Fatalf("after a flush, taken over:\n%s", list)
	}
}

func TestWatchTellsOfFlushRuleset(t *testing.T) {
	ns := testns.New(t)
	table := open(t, ns, true)
	if err := table.Install(testConfig(queue.ByMark), Terms{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan struct{}, 8)
	done := make(chan error)
	go func() { done <- table.Watch(ctx, func() { changed <- struct{}{} }) }()
	time.Sleep(100 * time.Millisecond) // subscribed

	quiet := func(what string) {
		t.Helper()
		select {
		case <-changed:
			t.Fatalf("told of a change after %s", what)
		case <-time.After(4 * settle):
		}
	}
	if err := table.Install(testConfig(queue.ByMark), Terms{}); err != nil {
		t.Fatal(err)
	}
	quiet("an installation of its own")
	ns.Run(t, "nft", "add table inet other")
	quiet("a change of another table")
	for _, command := range []string{"flush ruleset", "flush chain inet dictd select", "delete table inet dictd"} {
		ns.Run(t, "nft", command)
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			t.Fatalf("not told of %s", command)
		}
		quiet(command)
		if err := table.Install(testConfig(queue.ByMark), Terms{}); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// What others change is told, each by itself, and soon even where somebody changes
// something all the time.
func TestWatchOthers(t *testing.T) {
	ns := testns.New(t)
	table := open(t, ns, true)
	ns.Run(t, "nft", "add table ip a; add set ip a s { type ipv4_addr; }; add chain ip a c; add table inet b; add set inet b s { type ipv4_addr; }; add chain inet b c")
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan string, 100)
	done := make(chan error)
	go func() {
		done <- table.WatchOthers(ctx, []string{"b"}, func(what []string) {
			for _, w := range what {
				changed <- w
			}
		})
	}()
	time.Sleep(100 * time.Millisecond) // subscribed
	for _, c := range []struct{ command, want string }{
		{"add rule ip a c accept", OfRules},
		{"add element ip a s { 10.0.0.1 }", "ip a s"},
		{"delete element ip a s { 10.0.0.1 }", "ip a s"},
		{"add rule inet b c accept", ""},
		{"add element inet b s { 10.0.0.1 }", ""},
	} {
		ns.Run(t, "nft", c.command)
		wait := 5 * time.Second
		if c.want == "" {
			wait = 4 * settle
		}
		got := ""
		select {
		case got = <-changed:
		case <-time.After(wait):
		}
		if got != c.want {
			t.Errorf("%s: told of %q, want %q", c.command, got, c.want)
		}
	}
	ns.Run(t, "nft", "add rule ip a c drop")
	for begin := time.Now(); time.Since(begin) < 4*settled; {
		ns.Run(t, "nft", "add element ip a s { 10.0.0.2 }; delete element ip a s { 10.0.0.2 }; add element inet b s { 10.0.0.2 }; delete element inet b s { 10.0.0.2 }")
	}
	told := make(map[string]int)
	for len(changed) > 0 {
		told[<-changed]++
	}
	if told[OfRules] != 1 || told["ip a s"] == 0 {
		t.Errorf("told %v while others went on", told)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
