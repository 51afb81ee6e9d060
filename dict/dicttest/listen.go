// SPDX-License-Identifier: MIT

package dicttest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"nftdict/dict"
)

// listen: what is written is told, and what is added to a number is not.
func (x *suite) listen(t *testing.T) {
	s := x.with(t, people())
	l, ok := s.(dict.Listener)
	if !ok {
		t.Logf("the store is no dict.Listener")
		return
	}
	ctx, stop := context.WithCancel(t.Context())
	told, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- l.Listen(ctx, func(c dict.Change) error {
			told <- fmt.Sprint(c.Table, " ", c.Kind, " ", c.Row.Key, " ", len(c.Row.Cells))
			return nil
		}, "people")
	}()
	want := func(kind dict.ChangeKind, name string, cells int) {
		t.Helper()
		var about dict.Key
		if name != "" {
			about = key(name)
		}
		select {
		case got := <-told:
			if text := fmt.Sprint("people ", kind, " ", about, " ", cells); got != text {
				t.Errorf("listen: told %q, want %q", got, text)
			}
		case err := <-ended:
			t.Fatalf("listen: ended: %v", err)
		}
	}
	if first, nothing := <-told, fmt.Sprint(" ", dict.Set, " ", dict.Key{}, " ", 0); first != nothing {
		t.Errorf("listen: told %q at first, want %q", first, nothing)
	}
	must(t, s.Put("people", row(key("al"), "age", dict.IntValue(1), "quota", num(1))))
	want(dict.Set, "al", 2)
	must(t, s.Add("people", row(key("al"), "quota", num(5))))
	must(t, s.Delete("people", key("al"), "age"))
	want(dict.Deleted, "al", 1)
	must(t, s.Delete("people", key("al")))
	want(dict.Deleted, "al", 0)
	must(t, s.Add("people", row(key("bo"), "quota", num(5))))
	want(dict.Set, "bo", 1)
	must(t, s.DeleteTable("people"))
	want(dict.Set, "", 0)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("listen: ended with %v, want %v", err, context.Canceled)
	}
}
