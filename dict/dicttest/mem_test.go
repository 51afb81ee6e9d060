// SPDX-License-Identifier: MIT

package dicttest_test

import (
	"testing"
	"time"

	"nftdict/dict"
	"nftdict/dict/dicttest"
)

// timed is a Mem on a clock that is moved by hand.
type timed struct {
	*dicttest.Mem
	clock *dicttest.Clock
}

func openTimed(testing.TB) dict.Store {
	clock := dicttest.NewClock()
	return timed{dicttest.NewMem(clock.Now), clock}
}

func TestMem(t *testing.T) {
	dicttest.Run(t, openTimed,
		dicttest.Sleep(func(s dict.Store, d time.Duration) { s.(timed).clock.Advance(d) }),
		dicttest.Hold(func(t testing.TB, s dict.Store, table string) func() {
			release, err := s.(timed).Hold(table)
			if err != nil {
				t.Fatal(err)
			}
			return release
		}))
}

func TestMemRealClock(t *testing.T) {
	dicttest.Run(t, func(testing.TB) dict.Store { return dicttest.NewMem(nil) })
}

func TestNewStandard(t *testing.T) {
	s := dicttest.NewStandard(t)
	tables, err := s.Tables()
	if err != nil || len(tables) != 5 {
		t.Fatalf("tables: %d, %v, want 5", len(tables), err)
	}
}

func BenchmarkMem(b *testing.B) { dicttest.Bench(b, openTimed) }
