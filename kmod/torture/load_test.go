// SPDX-License-Identifier: MIT

package torture

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLoad lets everybody write, read, load rules and send packets at once.
func TestLoad(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	h.ruleTables(t)
	c := newCrowd(t, b.random(0), loadSpec(t), loadConstants(t))
	c.last(3 * lasting(t))
	c.end()
	h.sweep(t)
}

// ruleTables makes the tables that rules use.
func (h *host) ruleTables(tb testing.TB) {
	tb.Helper()
	for _, attrs := range ruleTables(true) {
		if err := h.command(cmdTableNew, 0, attrs, nil); err != nil && !errors.Is(err, unix.EEXIST) {
			tb.Fatal(err)
		}
	}
}

// TestNamespaces leaves namespaces while everything in them is in use, one
// after the other, beside one that stays.
func TestNamespaces(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	h.ruleTables(t)
	spec, constants := loadSpec(t), loadConstants(t)
	stays := newCrowd(t, b.random(0), spec, constants)
	rounds := 0
	for end := time.Now().Add(2 * lasting(t)); time.Now().Before(end) || rounds < 3; rounds++ {
		r := b.random(1 + rounds)
		left := make(chan error)
		go func() {
			left <- func() error {
				if err := enter(); err != nil {
					return err
				}
				h, err := openHost()
				if err != nil {
					return err
				}
				h.ruleTables(t)
				c := newCrowd(t, r, spec, constants)
				time.Sleep(time.Duration(50+r.IntN(400)) * time.Millisecond)
				c.stop.Store(true)
				c.threads.Wait()
				c.ns.Close()
				return h.close() // and the thread is the last to leave
			}()
			runtime.Goexit()
		}()
		if err := <-left; err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d namespaces", rounds)
	stays.last(0)
	stays.end()
	h.sweep(t)
}

// TestUnload removes the module and brings it back while it is in use: as long
// as there are rules it stays, and without them it goes, whoever else has
// files open, writes or lists.
func TestUnload(t *testing.T) {
	b := newBudget(t)
	h := newHost(t)
	dir := os.Getenv("NFTDICT_MODULES")
	if dir == "" {
		t.Fatal("NFTDICT_MODULES does not tell where the module's file is")
	}
	h.ruleTables(t)
	w := newRuler(b.random(1), loadSpec(t), loadConstants(t))
	c := newCrowd(t, b.random(0), w.spec, w.c)
	rounds, refused := 0, 0
	for end := time.Now().Add(2 * lasting(t)); time.Now().Before(end) || rounds < 3; rounds++ {
		time.Sleep(200 * time.Millisecond)
		c.rules.Lock()
		h.anyRule(t, w)
		for range 5 {
			if err := unix.DeleteModule("nft_dict", unix.O_NONBLOCK); !errors.Is(err, unix.EWOULDBLOCK) {
				t.Fatalf("round %d: remove the module that a rule uses: %v, want %v", rounds, err, unix.EWOULDBLOCK)
			}
			refused++
		}
		if err := removeModule(h); err != nil {
			t.Fatalf("round %d: remove the module: %v", rounds, err)
		}
		time.Sleep(20 * time.Millisecond)
		if err := insertModule(filepath.Join(dir, "nft_dict.ko")); err != nil {
			t.Fatalf("round %d: insert the module: %v", rounds, err)
		}
		if err := h.resolve(); err != nil {
			t.Fatal(err)
		}
		h.ruleTables(t)
		c.rules.Unlock()
	}
	t.Logf("removed and inserted %d times, refused to remove %d times", rounds, refused)
	c.last(0)
	c.end()
	h.sweep(t)
}

// anyRule loads a rule that uses a table, which somebody may take meanwhile.
func (h *host) anyRule(t *testing.T, w *ruler) {
	t.Helper()
	var err error
	for range 100 {
		h.ruleTables(t)
		ch := chain{family: unix.NFPROTO_INET, name: "output", hook: 3}
		b := newBatch(h.nft)
		b.addChain(ch)
		w.family = ch.family
		b.addRule(ch, w.rule()...)
		if err = b.commit(); err == nil {
			return
		}
	}
	t.Fatalf("no rule could be loaded: %v", err)
}

// removeModule deletes all rules and removes the module as soon as nobody is
// in it.
func removeModule(h *host) (err error) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if err = h.flushRules(); err != nil {
			return err
		}
		if err = unix.DeleteModule("nft_dict", unix.O_NONBLOCK); !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
	}
	return err
}

func insertModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}
