// SPDX-License-Identifier: MIT

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nftdict/dictd/api"
	"nftdict/internal/lab"
	"nftdict/internal/need"
)

// dictd is killed again and again while connections come into the flowtable and are taken
// back, with packets on all of them, and recalls that have taken some: none breaks, none
// stays in the flowtable past a rule, and none is without the row by which rules know it.
func TestOffloadedKilledWhileRecalling(t *testing.T) {
	for _, kind := range []string{"ebpf", "kmod"} {
		t.Run(kind, func(t *testing.T) {
			need.Feature(t, "long", func() error {
				if !need.Promised("long") {
					return fmt.Errorf("LONG=1 runs it")
				}
				return nil
			})
			killedWhileRecalling(t, kind)
		})
	}
}

func killedWhileRecalling(t *testing.T, kind string) {
	const count, kills = 16, 8
	r := newRig(t, lab.Config{})
	r.needFlowtable()
	conf := fmt.Sprintf("backend = %q\n[reverse]\nnames = \"off\"\n[offload]\nenable = true\n", kind)
	r.must("dictctl", "--backend", kind, "nft", "add table ip filter; add chain ip filter forward { type filter hook forward priority 0 ; }")
	d := r.start(conf)
	warned := strings.Contains(r.must("dictctl", "status"), "--backend ebpf")
	if loaded := need.Promised("kmod"); warned != (loaded && kind == "ebpf") {
		t.Errorf("a warning of two backends: %v", warned)
	}
	all := make([]*steady, count)
	for i := range all {
		all[i] = r.steady("www.youtube.com")
	}
	// A few requests of each at a time, and what went wrong.
	talk := func(rounds int) error {
		errs := make(chan error, count)
		var talkers sync.WaitGroup
		for _, s := range all {
			talkers.Go(func() {
				for range rounds {
					if err := s.getWithin(time.Minute); err != nil { // what waits in a queue when dictd dies is sent again
						errs <- err
						return
					}
				}
			})
		}
		talkers.Wait()
		select {
		case err := <-errs:
			return err
		default:
			return nil
		}
	}
	known := func() error {
		if err := talk(1); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(r.must("dictctl", "flows", "-j", "--state", "offloaded"), `"application":"YOUTUBE"`); n != count {
			return fmt.Errorf("%d of %d are known and in the flowtable", n, count)
		}
		return nil
	}
	r.eventually("all are in the flowtable", known)
	total := int64(0)
	for i := range kills {
		stop, done := make(chan struct{}), make(chan struct{})
		living := d
		var taken atomic.Int64
		var killed atomic.Bool
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
				}
				var n int64
				out, err := r.try("dictctl", "recall", "all") // dictd dies over some
				if _, odd := fmt.Sscanf(out, "%d recalled", &n); odd != nil && !killed.Load() {
					t.Errorf("recall all: %v, %q", err, out)
				}
				if n > 0 && taken.Add(n) == n { // the first
					time.AfterFunc(time.Duration(rand.N(200))*time.Millisecond, func() {
						killed.Store(true)
						living.signal(syscall.SIGKILL)
					})
				}
			}
		}()
		for begin := time.Now(); taken.Load() == 0 && time.Since(begin) < time.Minute; {
			if err := talk(1); err != nil {
				t.Errorf("after %d kills: %v", i, err)
				break
			}
		}
		if err := talk(10); err != nil {
			t.Errorf("after %d kills: %v", i, err)
		}
		killed.Store(true)
		d.kill()
		close(stop)
		<-done
		if taken.Load() == 0 {
			t.Errorf("after %d kills recalls take nothing", i)
		}
		total += taken.Load()
		d = r.start(conf)
	}
	t.Logf("%d times a connection was taken back", total)
	r.eventually("all are known, and in the flowtable", known)
	r.must("dictctl", "--backend", kind, "nft", `add rule ip filter forward dict sessions ct id application "YOUTUBE" drop`)
	for i, s := range all {
		r.eventually("the rule holds", func() error {
			if s.get() == nil {
				return fmt.Errorf("connection %d goes on past the rule", i)
			}
			return nil
		})
	}
	// What is not acknowledged is sent again all the time.
	var waiting sync.WaitGroup
	for i, s := range all {
		waiting.Go(func() {
			if s.getWithin(5*time.Second) == nil {
				t.Errorf("connection %d goes on past the rule again", i)
			}
		})
	}
	waiting.Wait()
	there := 0
	for _, f := range r.listFlows() {
		if f.Application == "YOUTUBE" && f.State == api.FlowSlow {
			there++
		}
	}
	if there != count {
		t.Errorf("%d connections of %d are on the slow path", there, count)
	}
	d.stop()
}
