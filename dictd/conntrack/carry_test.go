// SPDX-License-Identifier: MIT

package conntrack

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"
)

// An entry is made anew with what it was, translation and all, under an id of its
// own, and the connection goes on in it.
func TestCarry(t *testing.T) {
	ns, _ := tracked(t)
	ns.Run(t, "nft", "add table ip n; add chain ip n out { type nat hook output priority -100; }; add rule ip n out ip daddr 127.0.0.9 dnat to 127.0.0.1;"+
		"add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post tcp dport 7000 snat to 127.0.0.5:4000-4010;"+
		"add table inet m; add chain inet m c { type filter hook output priority 0; }; add rule inet m c ct mark set 0x40000007; add rule inet m c ct label set 3")
	c, err := Dial(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var server net.Listener
	ns.Do(t, func() (err error) {
		server, err = net.Listen("tcp", "127.0.0.1:7000")
		return err
	})
	defer server.Close()
	var near, far net.Conn
	ns.Do(t, func() (err error) {
		near, err = net.Dial("tcp", "127.0.0.9:7000")
		return err
	})
	defer near.Close()
	if far, err = server.Accept(); err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	talk := func() {
		t.Helper()
		buf := make([]byte, 5)
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			_ = way[1].SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := way[0].Write([]byte("hello")); err != nil {
				t.Fatal(err)
			}
			if _, err := way[1].Read(buf); err != nil {
				t.Fatal(err)
			}
		}
	}
	talk()
	find := func() (found Flow) {
		t.Helper()
		if err := c.Dump(func(f *Flow) {
			if f.Orig.DstPort == 7000 {
				found = *f
			}
		}); err != nil {
			t.Fatal(err)
		}
		return found
	}
	hour := func(*Flow) time.Duration { return time.Hour }
	for range 3 {
		was := find()
		if was.Reply == was.Orig.Reverse() || was.Reply.Dst().String() != "127.0.0.5" || was.Mark != 0x40000007 {
			t.Fatalf("before: %+v", was)
		}
		all, err := c.Carry([]Flow{was}, hour)
		if err != nil || all[0].Err != nil {
			t.Fatalf("carry: %v, %+v", err, all)
		}
		now := find()
		if now.ID != all[0].Now.ID || now.Orig != was.Orig || now.Reply != was.Reply || now.Mark != was.Mark || now.State != tcpEstablished ||
			now.Status&^(1<<14|1<<15) != was.Status&^(1<<14|1<<15) || fmt.Sprint(now.Labels) != fmt.Sprint(was.Labels) {
			t.Errorf("was %+v\nis  %+v\ntold %+v", was, now, all[0])
		}
		talk()
	}
	was := find()
	was.ID++
	if all, err := c.Carry([]Flow{was}, hour); err != nil || !errors.Is(all[0].Err, ErrNotFound) {
		t.Errorf("another's id: %v, %+v", err, all)
	}
	was.ID--
	if now := find(); now.ID != was.ID {
		t.Errorf("it was taken away: %+v", now)
	}
	gone := was
	gone.Orig.SrcPort++
	gone.Reply.DstPort++
	if all, err := c.Carry([]Flow{gone}, hour); err != nil || !errors.Is(all[0].Err, ErrNotFound) {
		t.Errorf("none: %v, %+v", err, all)
	}
	if _, err := c.Lookup(gone.Orig, 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("a ghost stays: %v", err)
	}
	talk()
	if err := c.Offloaded(func(f *Flow) { t.Errorf("in a flowtable: %+v", f) }); err != nil {
		t.Error(err)
	}
}

// Many are carried in little time.
func TestCarryMany(t *testing.T) {
	ns, to := tracked(t)
	c, err := Dial(ns.FD())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own := make(map[Tuple]bool) // a port may come twice
	for _, tuple := range send(t, ns, to, 300) {
		own[tuple] = true
	}
	var flows []Flow
	if err := c.Dump(func(f *Flow) { flows = append(flows, *f) }); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	all, err := c.Carry(flows, func(*Flow) time.Duration { return time.Minute })
	took := time.Since(begin)
	if err != nil || len(all) != len(own) {
		t.Fatalf("%d of %d: %v", len(all), len(own), err)
	}
	for i := range all {
		if all[i].Err != nil || all[i].Now.Orig != flows[i].Orig {
			t.Fatalf("%d: %+v", i, all[i])
		}
	}
	t.Logf("%d in %v", len(all), took)
}
