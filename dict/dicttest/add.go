// SPDX-License-Identifier: MIT

package dicttest

import (
	"math"
	"sync"
	"testing"
	"time"

	"nftdict/dict"
)

// tally returns the schema of a table to count in.
func tally() dict.Table {
	return dict.Table{Name: "tally", Key: dict.KeyString, Limit: 100, Fields: []dict.Field{
		{Name: "n", Type: dict.Int, Aliases: []string{"number"}},
		{Name: "l", Type: dict.Int64},
		{Name: "from", Type: dict.Int64, Default: num(1000)},
		{Name: "few", Type: dict.Int, Default: dict.IntValue(-7)},
		{Name: "word", Type: dict.String},
		{Name: "flag", Type: dict.Bool},
	}}
}

// add: amounts are added to what is there, to the default or to 0, and rows
// appear as with Put.
func (x *suite) add(t *testing.T) {
	s := x.with(t, tally())
	al := key("al")
	must(t, s.Add("tally", row(al, "n", dict.IntValue(5), "l", num(-6), "from", num(1), "few", dict.IntValue(2))))
	wantRow(t, s, "tally", al, "n", dict.IntValue(5), "l", num(-6), "from", num(1001), "few", dict.IntValue(-5))
	must(t, s.Put("tally", row(al, "word", str("w"), "flag", dict.BoolValue(true))))
	must(t, s.Add("tally", row(al, "few", dict.IntValue(5), "number", dict.IntValue(-8))))
	wantRow(t, s, "tally", al, "n", dict.IntValue(-3), "l", num(-6), "from", num(1001), "few", dict.IntValue(0), "word", str("w"), "flag", dict.BoolValue(true))
	must(t, s.Add("tally", row(al, "l", dict.IntValue(-1), "from", num(math.MinInt64))))
	wantRow(t, s, "tally", al, "n", dict.IntValue(-3), "l", num(-7), "from", num(math.MinInt64+1001), "few", dict.IntValue(0), "word", str("w"), "flag", dict.BoolValue(true))
	must(t, s.Delete("tally", al, "from", "n"))
	must(t, s.Add("tally", row(al, "from", num(0), "n", dict.IntValue(0))))
	wantRow(t, s, "tally", al, "n", dict.IntValue(0), "l", num(-7), "from", num(1000), "few", dict.IntValue(0), "word", str("w"), "flag", dict.BoolValue(true))

	// A batch goes on in its order, also with the same row, and without cells.
	must(t, s.Add("tally", row(key("bo"), "l", num(1)), row(key("bo"), "l", num(10)), row(key("cy")), row(key("bo"), "n", dict.IntValue(1)), row(key("bo"))))
	wantRow(t, s, "tally", key("bo"), "n", dict.IntValue(1), "l", num(11))
	wantRow(t, s, "tally", key("cy"))
	wantRows(t, s, "tally", 3)
	must(t, s.Add("tally"))

	// One row is refused, whole; the others are not.
	before := dump(t, s).Rows["tally"]
	err := s.Add("tally", row(al, "l", num(1), "word", num(1)), row(key("bo"), "l", num(1)), row(al, "l", num(1), "nosuch", num(1)))
	refused(t, err, dict.ErrType, "tally", `"al"`, `"word"`)
	refused(t, err, dict.ErrNotExist, `"nosuch"`)
	must(t, s.Add("tally", row(key("bo"), "l", num(-1))))
	same(t, "state after refusals", dump(t, s).Rows["tally"], before)
}

// addEnds: sums stay at the limits of their types and come back from there.
func (x *suite) addEnds(t *testing.T) {
	s := x.with(t, tally())
	al := key("al")
	const least, most = math.MinInt32, math.MaxInt32
	for _, c := range []struct{ from, by, want int64 }{
		{most - 1, 1, most}, {most - 1, 2, most}, {most, most, most}, {most, least, -1}, {most, -1, most - 1},
		{least + 1, -1, least}, {least + 1, -2, least}, {least, least, least}, {least, most, -1}, {0, least, least},
	} {
		must(t, s.Put("tally", row(al, "n", dict.IntValue(int32(c.from)))))
		must(t, s.Add("tally", row(al, "n", dict.IntValue(int32(c.by)))))
		wantRow(t, s, "tally", al, "n", dict.IntValue(int32(c.want)))
	}
	must(t, s.Delete("tally", al))
	const least64, most64 = math.MinInt64, math.MaxInt64
	for _, c := range []struct{ from, by, want int64 }{
		{most64 - 1, 1, most64}, {most64 - 1, 2, most64}, {most64, most64, most64}, {most64, least64, -1}, {0, least64, least64},
		{least64 + 1, -1, least64}, {least64 + 1, -2, least64}, {least64, least64, least64}, {least64, most64, -1}, {-1, least64, least64},
		{most, 1, most + 1}, {-1, 1, 0}, {1 << 40, -1 << 41, -1 << 40},
	} {
		must(t, s.Put("tally", row(al, "l", num(c.from))))
		must(t, s.Add("tally", row(al, "l", num(c.by))))
		wantRow(t, s, "tally", al, "l", num(c.want))
	}
	// From a default, too.
	must(t, s.Add("tally", row(key("bo"), "from", num(most64), "few", dict.IntValue(least))))
	wantRow(t, s, "tally", key("bo"), "from", num(most64), "few", dict.IntValue(least))
}

// addLife: a row that Add makes lives as with Put; of one that is there the
// life is left alone, and one that has ended is another.
func (x *suite) addLife(t *testing.T) {
	t1 := tally()
	t1.Timeout = 4 * time.Second
	s := x.with(t, t1)
	one := cells("l", num(1))
	must(t, s.Add("tally", dict.Row{Key: key("short"), Cells: one}, dict.Row{Key: key("long"), Cells: one, TTL: time.Hour}))
	ttl := func(k string, least, most time.Duration) {
		t.Helper()
		r, err := s.Get("tally", key(k))
		must(t, err)
		if r.TTL < least || r.TTL > most {
			t.Errorf("%s lives for %v, want %v to %v", k, r.TTL, least, most)
		}
	}
	ttl("short", time.Second, 6*time.Second)
	ttl("long", 59*time.Minute, time.Hour+2*time.Second)
	must(t, s.Add("tally", dict.Row{Key: key("long"), Cells: one}, dict.Row{Key: key("short"), Cells: one, TTL: 2 * time.Hour}))
	ttl("long", 59*time.Minute, time.Hour+2*time.Second)
	ttl("short", time.Second, 6*time.Second)
	wantRow(t, s, "tally", key("short"), "l", num(2))
	x.sleep(s, 7*time.Second)
	wantNone(t, s, "tally", key("short"))
	must(t, s.Add("tally", row(key("short"), "n", dict.IntValue(1), "from", num(1))))
	wantRow(t, s, "tally", key("short"), "n", dict.IntValue(1), "from", num(1001))
	wantRow(t, s, "tally", key("long"), "l", num(2))
	ttl("short", time.Second, 6*time.Second)
}

// addFull: a row that is not there needs a place, and its want is counted.
func (x *suite) addFull(t *testing.T) {
	t1 := tally()
	t1.Limit = 2
	s := x.with(t, t1)
	one := func(k string) dict.Row { return row(key(k), "l", num(1)) }
	must(t, s.Add("tally", one("a"), one("b")))
	refused(t, s.Add("tally", one("c"), one("a"), one("d"), one("b")), dict.ErrFull, "tally", `"c"`, `"d"`)
	wantRow(t, s, "tally", key("a"), "l", num(2))
	wantRow(t, s, "tally", key("b"), "l", num(2))
	st, err := s.Stats("tally")
	must(t, err)
	same(t, "figures", st, dict.Stats{Rows: 2, Limit: 2, Refused: 2})
	must(t, s.Delete("tally", key("a")))
	must(t, s.Add("tally", one("c")))
	wantRow(t, s, "tally", key("c"), "l", num(1))
}

// addOpen: in an open table fields appear with amounts, and a value of another
// type counts as none.
func (x *suite) addOpen(t *testing.T) {
	s := x.with(t, dict.Table{Name: "free", Key: dict.KeyInt, Limit: 100, Open: true})
	one := dict.IntKey(1)
	must(t, s.Add("free", row(one, "a", num(5), "b", dict.IntValue(-5))))
	must(t, s.Add("free", row(one, "a", num(5), "b", dict.IntValue(-5))))
	wantRow(t, s, "free", one, "a", num(10), "b", dict.IntValue(-10))
	must(t, s.Put("free", row(one, "c", str("text"), "d", dict.EtherValue([6]byte{2, 0, 0, 0, 0, 1}), "e", dict.BoolValue(true))))
	must(t, s.Add("free", row(one, "a", dict.IntValue(1), "b", num(2), "c", num(3), "d", dict.IntValue(4), "e", num(5))))
	wantRow(t, s, "free", one, "a", dict.IntValue(1), "b", num(2), "c", num(3), "d", dict.IntValue(4), "e", num(5))
	before := dump(t, s)
	refused(t, s.Add("free", row(one, "a", dict.IntValue(1), "new", str("text"))), dict.ErrType, "free", `"new"`)
	refused(t, s.Add("free", row(one, "a", dict.IntValue(1), "no name", num(1))), dict.ErrInvalid, "free")
	same(t, "state after refusals", dump(t, s), before)
	must(t, s.Put("free", row(one, "c", str("text"))))
	wantRow(t, s, "free", one, "a", dict.IntValue(1), "b", num(2), "c", str("text"), "d", dict.IntValue(4), "e", num(5))
}

// adders: nothing is lost of what many add at once, in one process, while
// others write other fields of the row, and delete them.
func (x *suite) adders(t *testing.T) {
	const adders, rounds = 4, 400
	s := x.with(t, tally())
	al := key("al")
	var adding, meddling sync.WaitGroup
	for i := range adders {
		adding.Go(func() {
			for n := range rounds {
				by := int64(i + 1)
				if n%2 == 1 { // two rows at a time, too
					if err := s.Add("tally", row(al, "l", num(3*by)), row(al, "from", num(-by), "l", num(-by))); err != nil {
						t.Error(err)
						return
					}
					continue
				}
				if err := s.Add("tally", row(al, "from", num(-by), "n", dict.IntValue(1))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	stop := make(chan struct{})
	meddling.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Put("tally", row(al, "word", str("w"), "flag", dict.BoolValue(n%2 == 0))); err != nil {
				t.Error(err)
				return
			}
			if err := s.Delete("tally", al, "word"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	adding.Wait()
	close(stop)
	meddling.Wait()
	r, err := s.Get("tally", al)
	must(t, err)
	sum := int64(adders * (adders + 1) / 2)
	for field, want := range map[string]int64{"n": adders * rounds / 2, "l": rounds * sum, "from": 1000 - rounds*sum} {
		if v, _ := r.Get(field); v.Int64() != want {
			t.Errorf("%s: %d, want %d: %d off", field, v.Int64(), want, v.Int64()-want)
		}
	}
}

// addRounds is how often childAdd adds.
const addRounds = 2000

// childAdd adds to the row that addProcesses adds to, and ends by itself.
func childAdd(t *testing.T, s dict.Store, o order) {
	begin(t, s, o)
	for range addRounds {
		must(t, s.Add("tally", row(key("shared"), "l", num(7), "from", num(-3))))
	}
}

// addProcesses: nothing is lost of what several processes add at once.
func (x *suite) addProcesses(t *testing.T) {
	s := x.with(t, begun(), tally())
	var waits []func() error
	for i := range 2 {
		_, wait := x.start(t, s, "add", i)
		waits = append(waits, wait)
	}
	for range addRounds {
		must(t, s.Add("tally", row(key("shared"), "l", num(-2), "n", dict.IntValue(1))))
	}
	for _, wait := range waits {
		must(t, wait())
	}
	wantRow(t, s, "tally", key("shared"), "n", dict.IntValue(addRounds), "l", num((2*7-2)*addRounds), "from", num(1000-2*3*addRounds))
}
