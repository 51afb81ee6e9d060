// SPDX-License-Identifier: MIT

package dicttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nftdict/dict"
)

// watching collects the changes that a Watch reports.
type watching struct {
	t       *testing.T
	changes chan string
}

// describe puts a change in words.
func describe(c dict.Change) string {
	words := []string{[]string{dict.Set: "set", dict.Deleted: "deleted"}[c.Kind], c.Table, c.Row.Key.Text()}
	for _, c := range c.Row.Cells {
		words = append(words, c.Field)
		if !c.Value.IsZero() {
			words = append(words, c.Value.Text())
		}
	}
	return strings.Join(words, " ")
}

// startWatch watches and returns when the watch is known to run: since it
// reports nothing that was there at the start, poke changes a row until a
// change is seen.
func startWatch(t *testing.T, s dict.Store, tables ...string) *watching {
	t.Helper()
	w := &watching{t: t, changes: make(chan string, 10000)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- s.(dict.Watcher).Watch(ctx, func(c dict.Change) error {
			w.changes <- describe(c)
			return nil
		}, tables...)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("watch: ended with %v, want %v", err, context.Canceled)
			}
		case <-time.After(patience):
			t.Errorf("watch: goes on after its context ended")
		}
	})
	n := int64(0)
	eventually(t, "watch starts", func() bool {
		n++
		must(t, s.Put("people", row(key("poke"), "quota", num(n))))
		time.Sleep(10 * time.Millisecond)
		return len(w.changes) > 0
	})
	w.until(fmt.Sprintf(`set people "poke" quota %d`, n))
	return w
}

// until takes changes until it has seen all of want; it returns them all.
func (w *watching) until(want ...string) []string {
	w.t.Helper()
	var seen []string
	missing := slices.Clone(want)
	timeout := time.After(patience)
	for len(missing) > 0 {
		select {
		case c := <-w.changes:
			seen = append(seen, c)
			missing = slices.DeleteFunc(missing, func(m string) bool { return m == c })
		case <-timeout:
			w.t.Fatalf("watch: did not report %q; it reported %q", missing, seen)
		}
	}
	return seen
}

// watch: what changes is reported, by whomever, and what does not is not.
func (x *suite) watch(t *testing.T) {
	other := people()
	other.Name = "others"
	s := x.with(t, people(), other, dict.Table{Name: "free", Key: dict.KeyInt, Open: true})
	if _, ok := s.(dict.Watcher); !ok {
		t.Logf("the store is no dict.Watcher")
		return
	}
	must(t, s.Put("people", row(key("old"), "age", dict.IntValue(1))))
	w := startWatch(t, s, "people", "free")
	silent := func(seen []string, words ...string) {
		t.Helper()
		for _, c := range seen {
			for _, word := range words {
				if strings.Contains(c, word) {
					t.Errorf("watch: reported %q", c)
				}
			}
		}
	}
	must(t, s.Put("others", row(key("stranger"), "age", dict.IntValue(1))))
	must(t, s.Put("people", row(key("al"), "quota", num(1), "age", dict.IntValue(2))))
	silent(w.until(`set people "al" quota 1 age 2`), "stranger", `"old"`)
	must(t, s.Put("people", row(key("al"), "quota", num(1), "age", dict.IntValue(3))))
	w.until(`set people "al" age 3`)
	_, err := s.Renew("people", time.Hour, key("al"))
	must(t, err)
	refused(t, s.Put("people", row(key("al"), "nosuch", num(1))), dict.ErrNotExist)
	must(t, s.Delete("people", key("al"), "age"))
	silent(w.until(`deleted people "al" age`), "set", `"old"`)
	must(t, s.Delete("people", key("al")))
	w.until(`deleted people "al"`)
	must(t, s.Put("people", row(key("bare"))))
	w.until(`set people "bare"`)
	must(t, s.Put("free", row(dict.IntKey(1), "f", num(1))))
	w.until(`set free 1 f 1`)
	must(t, s.Put("free", row(dict.IntKey(1), "f", str("1"), "g", dict.BoolValue(true))))
	w.until(`set free 1 f "1" g true`)
	must(t, s.Put("people", dict.Row{Key: key("brief"), Cells: cells("age", dict.IntValue(1)), TTL: time.Second}))
	w.until(`set people "brief" age 1`)
	x.sleep(s, time.Second+grace)
	w.until(`deleted people "brief"`)
	must(t, s.Delete("people", key("old")))
	w.until(`deleted people "old"`)

	if x.reopen != nil {
		b, err := x.reopen(x.address(s))
		must(t, err)
		defer b.Close()
		must(t, b.Put("people", row(key("from afar"), "age", dict.IntValue(5))))
		w.until(`set people "from afar" age 5`)
	}
	for i := range 500 {
		must(t, s.Put("people", row(key("busy"), "quota", num(int64(i)))))
	}
	w.until(`set people "busy" quota 499`)
}

// watchAll: a watch of all tables sees those that come later, and lives on
// when one goes.
func (x *suite) watchAll(t *testing.T) {
	s := x.with(t, people())
	if _, ok := s.(dict.Watcher); !ok {
		t.Logf("the store is no dict.Watcher")
		return
	}
	w := startWatch(t, s)
	must(t, s.AddTable(dict.Table{Name: "late", Key: dict.KeyInt, Limit: 5, Fields: []dict.Field{{Name: "n", Type: dict.Int}}}))
	must(t, s.Put("late", row(dict.IntKey(1), "n", dict.IntValue(1))))
	w.until("set late 1 n 1")
	must(t, s.AddFields("late", dict.Field{Name: "m", Type: dict.Int}))
	must(t, s.Put("late", row(dict.IntKey(1), "m", dict.IntValue(2))))
	w.until("set late 1 m 2")
	must(t, s.DeleteTable("late"))
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(1))))
	w.until(`set people "al" age 1`)
}

// watchEnds: a watch ends with the error of the function, of its context, or
// of a table that is not there.
func (x *suite) watchEnds(t *testing.T) {
	s := x.with(t, people())
	w, ok := s.(dict.Watcher)
	if !ok {
		t.Logf("the store is no dict.Watcher")
		return
	}
	never := func(dict.Change) error { return nil }
	refused(t, w.Watch(t.Context(), never, "people", "nobody"), dict.ErrNotExist, "nobody")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	within(t, "watch with a context that has ended", func() error {
		if err := w.Watch(ctx, never); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("got %v, want %v", err, context.Canceled)
		}
		return nil
	})
	enough := errors.New("enough")
	ended := make(chan error, 1)
	go func() { ended <- w.Watch(t.Context(), func(dict.Change) error { return enough }) }()
	n := int64(0)
	eventually(t, "watch ends with the function's error", func() bool {
		n++
		must(t, s.Put("people", row(key("poke"), "quota", num(n))))
		time.Sleep(10 * time.Millisecond)
		select {
		case err := <-ended:
			if !errors.Is(err, enough) {
				t.Fatalf("got %v, want %v", err, enough)
			}
			return true
		default:
			return false
		}
	})
}

// changes: the number of a table's changes is another after each of them, by whomever,
// and after a table of the same name has come.
func (x *suite) changes(t *testing.T) {
	s := x.with(t, people())
	c, ok := s.(dict.Changer)
	if !ok {
		t.Logf("the store is no dict.Changer")
		return
	}
	number := func() uint64 {
		t.Helper()
		n, err := c.Changes("people")
		must(t, err)
		return n
	}
	last := number()
	moved := func(what string, f func() error) {
		t.Helper()
		must(t, f())
		now := number()
		if now == last {
			t.Errorf("changes: %d before and after %s", now, what)
		}
		last = now
	}
	moved("a row came", func() error { return s.Put("people", row(key("al"), "age", dict.IntValue(1))) })
	if now := number(); now != last {
		t.Errorf("changes: %d, and %d when nothing has happened", last, now)
	}
	moved("a merge", func() error { return s.Put("people", row(key("al"), "age", dict.IntValue(2))) })
	moved("an addition", func() error { return s.Add("people", row(key("al"), "quota", num(5))) })
	moved("a field went", func() error { return s.Delete("people", key("al"), "age") })
	moved("a row went", func() error { return s.Delete("people", key("al")) })
	if x.reopen != nil {
		moved("another wrote", func() error {
			other, err := x.reopen(x.address(s))
			must(t, err)
			defer other.Close()
			return other.Put("people", row(key("bo"), "age", dict.IntValue(1)))
		})
	}
	must(t, s.DeleteTable("people"))
	_, err := c.Changes("people")
	refused(t, err, dict.ErrNotExist, "people")
	moved("a table of the same name came", func() error { return s.AddTable(people()) })
}
