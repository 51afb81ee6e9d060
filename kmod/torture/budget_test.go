// SPDX-License-Identifier: MIT

package torture

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// budget is how long a part lasts, and where its chance comes from.
type budget struct {
	tb    testing.TB
	seed  uint64
	end   time.Time // from the first case on
	cases int       // instead of end, if not 0
	done  int
}

// everyNote is how many cases lie between notes in the kernel's log.
const everyNote = 500

func newBudget(tb testing.TB) *budget {
	tb.Helper()
	b := &budget{tb: tb, seed: uint64(time.Now().UnixNano())}
	if s := os.Getenv("NFTDICT_SEED"); s != "" {
		var err error
		if b.seed, err = strconv.ParseUint(s, 0, 64); err != nil {
			tb.Fatal(err)
		}
	}
	if s, ok := strings.CutSuffix(os.Getenv("NFTDICT_TORTURE"), "x"); ok {
		var err error
		if b.cases, err = strconv.Atoi(s); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Logf("NFTDICT_SEED=%d", b.seed)
	note("%s begins, NFTDICT_SEED=%d", tb.Name(), b.seed)
	tb.Cleanup(func() {
		tb.Logf("%d cases, NFTDICT_SEED=%d", b.done, b.seed)
		note("%s ends after %d cases", tb.Name(), b.done)
	})
	return b
}

// lasting is how long a part without cases lasts.
func lasting(tb testing.TB) time.Duration {
	s := os.Getenv("NFTDICT_TORTURE")
	if s == "" || strings.HasSuffix(s, "x") {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// next returns the chance of the next case, nil at the end. Each case has its
// own, so that a case does not depend on how much the one before it took.
func (b *budget) next() *rand.Rand {
	if b.done == 0 {
		b.end = time.Now().Add(lasting(b.tb))
	}
	if b.cases != 0 && b.done == b.cases || b.cases == 0 && time.Now().After(b.end) {
		return nil
	}
	if b.done%everyNote == 0 {
		note("%s case %d", b.tb.Name(), b.done)
	}
	b.done++
	return b.random(b.done)
}

func (b *budget) random(n int) *rand.Rand {
	h := fnv.New64()
	fmt.Fprint(h, b.tb.Name(), n)
	return rand.New(rand.NewPCG(b.seed, h.Sum64()))
}

// note leaves a line in the kernel's log, so that it tells when something
// happened.
func note(format string, args ...any) {
	if f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); err == nil {
		defer f.Close()
		fmt.Fprintf(f, "<6>torture: "+format+"\n", args...)
	}
}

// pick returns one of a list.
func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// chance is true once in n times.
func chance(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }
