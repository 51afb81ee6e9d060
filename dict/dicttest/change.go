// SPDX-License-Identifier: MIT

package dicttest

import (
	"fmt"
	"sync"
	"testing"

	"nftdict/dict"
)

// iteration: rows that stay are seen once, whatever comes and goes, and the
// caller may write and leave as he likes.
func (x *suite) iteration(t *testing.T) {
	tab := people()
	tab.Limit = 2000
	s := x.with(t, tab)
	const stay = 300
	for i := range stay {
		must(t, s.Put("people", row(key(fmt.Sprint("stay", i)), "quota", num(int64(i)))))
	}
	var churn sync.WaitGroup
	stop := make(chan struct{})
	end := sync.OnceFunc(func() {
		close(stop)
		churn.Wait()
	})
	defer end()
	for w := range 2 {
		churn.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				k := key(fmt.Sprint("go", w, "-", i%400))
				if err := s.Put("people", row(k, "quota", num(int64(i)))); err != nil {
					t.Error(err)
					return
				}
				if i >= 200 {
					if err := s.Delete("people", key(fmt.Sprint("go", w, "-", (i-200)%400))); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 20 {
		seen := map[dict.Key]int{}
		for r, err := range s.Rows("people") {
			must(t, err)
			seen[r.Key]++
		}
		for i := range stay {
			if n := seen[key(fmt.Sprint("stay", i))]; n != 1 {
				t.Errorf("row stay%d was seen %d times", i, n)
			}
		}
	}
	end()

	left := 0
	for r, err := range s.Rows("people") {
		must(t, err)
		must(t, s.Delete("people", r.Key))
		left++
		if left == stay {
			break
		}
	}
	for r, err := range s.Rows("people") {
		must(t, err)
		must(t, s.Put("people", row(r.Key, "quota", num(-1))))
		must(t, s.Delete("people", r.Key))
	}
	wantRows(t, s, "people", 0)
	for range s.Rows("people") {
		t.Error("an empty table yields a row")
	}
	rows := s.Rows("people")
	must(t, s.Put("people", row(key("al"))))
	for range 2 {
		n := 0
		for range rows {
			n++
		}
		if n != 1 {
			t.Errorf("one iterator used twice yields %d rows, want 1 each time", n)
		}
	}
}
